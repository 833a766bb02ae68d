/** A byte address in the kernel's memory; 0 is no address. */
export type Pointer = number;

/** `begin`'s parameters, common to the methods' `init`. */
type Init<Rest extends unknown[]> = (
  workspace: Pointer,
  operator: Pointer,
  preconditioner: Pointer,
  b: Pointer,
  x: Pointer,
  rtol: number,
  atol: number,
  maxiter: number,
  zeroStart: boolean,
  history: Pointer,
  historyCapacity: number,
  ...rest: Rest
) => number;

type Project = (
  n: number,
  k: number,
  V: Pointer,
  stride: number,
  single: boolean,
  W: Pointer,
  wStride: number,
  small: Pointer,
  scratch: Pointer,
  x: Pointer,
  r: Pointer,
) => number;

/** What every build of the kernel exports. The meaning of each stands beside its source in `assembly/`. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;

  allocate(bytes: number): Pointer;
  release(pointer: Pointer): void;
  bytesInUse(): number;
  setMemoryLimit(bytes: number): void;

  dot(n: number, x: Pointer, y: Pointer): number;
  maxAbs(n: number, x: Pointer): number;
  norm2(n: number, x: Pointer): number;
  axpy(n: number, a: number, x: Pointer, y: Pointer): void;
  xpay(n: number, x: Pointer, a: number, y: Pointer): void;
  scale(n: number, a: number, x: Pointer): void;
  multiply(n: number, x: Pointer, y: Pointer, z: Pointer): void;
  subtract(n: number, x: Pointer, y: Pointer, z: Pointer): void;
  copy(n: number, x: Pointer, y: Pointer): void;
  zero(n: number, x: Pointer): void;
  distanceSquared(n: number, x: Pointer, y: Pointer): number;
  dotAndSquare(n: number, x: Pointer, y: Pointer, out: Pointer): void;
  subtractScaledAndSquare(n: number, a: number, x: Pointer, y: Pointer): number;
  blockDot(n: number, k: number, V: Pointer, stride: number, w: Pointer, h: Pointer): void;
  blockUpdate(n: number, k: number, sign: number, V: Pointer, stride: number, h: Pointer, w: Pointer): void;

  widen(n: number, x: Pointer, y: Pointer): void;
  narrow(n: number, x: Pointer, y: Pointer): void;
  blockUpdateSingle(
    n: number,
    k: number,
    V: Pointer,
    stride: number,
    h: Pointer,
    w: Pointer,
    scratch: Pointer,
  ): void;

  csrMultiply(rows: number, indptr: Pointer, indices: Pointer, data: Pointer, x: Pointer, y: Pointer): void;
  csrMultiplyTransposed(
    rows: number,
    columns: number,
    indptr: Pointer,
    indices: Pointer,
    data: Pointer,
    x: Pointer,
    y: Pointer,
  ): void;
  diaMultiply(n: number, count: number, offsets: Pointer, data: Pointer, x: Pointer, y: Pointer): void;
  diaMultiplyDot(
    n: number,
    count: number,
    offsets: Pointer,
    data: Pointer,
    x: Pointer,
    y: Pointer,
    w: Pointer,
    out: Pointer,
  ): void;
  findDiagonals(n: number, indptr: Pointer, indices: Pointer, most: number, offsets: Pointer): number;
  markEntries(
    n: number,
    indptr: Pointer,
    indices: Pointer,
    count: number,
    offsets: Pointer,
    marks: Pointer,
  ): void;
  spreadEntries(
    n: number,
    count: number,
    marks: Pointer,
    values: Pointer,
    data: Pointer,
    scratch: Pointer,
  ): void;
  sliceOrder(n: number, indptr: Pointer, order: Pointer, scratch: Pointer): number;
  sliceRows(
    n: number,
    indptr: Pointer,
    indices: Pointer,
    order: Pointer,
    runs: Pointer,
    columns: Pointer,
  ): void;
  slicedMultiply(
    runs: Pointer,
    count: number,
    order: Pointer,
    indices: Pointer,
    data: Pointer,
    x: Pointer,
    y: Pointer,
  ): void;
  slicedMultiplyTwo(
    runs: Pointer,
    count: number,
    order: Pointer,
    indices: Pointer,
    data: Pointer,
    X: Pointer,
    stride: number,
    Y: Pointer,
    yStride: number,
  ): void;
  slicedPack(n: number, runs: Pointer, order: Pointer, data: Pointer, scratch: Pointer): void;
  slicedDiagonal(
    runs: Pointer,
    count: number,
    order: Pointer,
    indices: Pointer,
    data: Pointer,
    diagonal: Pointer,
  ): void;
  operatorSize(): number;
  makeCsr(operator: Pointer, n: number, indptr: Pointer, indices: Pointer, data: Pointer): void;
  makeSliced(
    operator: Pointer,
    n: number,
    runs: Pointer,
    count: number,
    order: Pointer,
    indices: Pointer,
    data: Pointer,
  ): void;
  makeDia(operator: Pointer, n: number, count: number, offsets: Pointer, data: Pointer): void;
  makeHostOperator(operator: Pointer, n: number, id: number): void;
  applyOperator(operator: Pointer, x: Pointer, y: Pointer): void;
  applyAndDot(operator: Pointer, x: Pointer, y: Pointer, w: Pointer, out: Pointer): void;

  diaDiagonal(n: number, count: number, d: number, data: Pointer, diagonal: Pointer): void;
  invert(n: number, x: Pointer): number;
  directSize(): number;
  directInit(
    direct: Pointer,
    n: number,
    indptr: Pointer,
    indices: Pointer,
    ordering: number,
    kind: number,
    threshold: number,
  ): number;
  directRelease(direct: Pointer): void;
  directFactor(direct: Pointer, data: Pointer): number;
  directForm(direct: Pointer): number;
  directOrdering(direct: Pointer): number;
  directOrder(direct: Pointer): Pointer;
  directColumn(direct: Pointer): number;
  directReused(direct: Pointer): number;
  directNonzeros(direct: Pointer): number;
  directFill(direct: Pointer): number;
  directWork(direct: Pointer): number;
  directSolve(direct: Pointer, b: Pointer, x: Pointer, transposed: boolean): void;
  directSolveMany(
    direct: Pointer,
    count: number,
    b: Pointer,
    x: Pointer,
    stride: number,
    transposed: boolean,
  ): void;
  directRefine(direct: Pointer, b: Pointer, x: Pointer, transposed: boolean, most: number): number;
  directResidual(direct: Pointer): Pointer;
  directBackwardError(direct: Pointer): number;
  directCondition(direct: Pointer): number;

  ilu0Factor(
    n: number,
    indptr: Pointer,
    indices: Pointer,
    data: Pointer,
    diagonal: Pointer,
    inverse: Pointer,
    work: Pointer,
  ): number;
  levelOrder(n: number, indptr: Pointer, indices: Pointer, order: Pointer, work: Pointer): number;
  levelSlices(
    n: number,
    indptr: Pointer,
    indices: Pointer,
    order: Pointer,
    work: Pointer,
    lowerRuns: Pointer,
    lowerColumns: Pointer,
    upperRuns: Pointer,
    upperColumns: Pointer,
  ): void;
  ilu0Size(): number;
  ilu0Init(
    ilu0: Pointer,
    n: number,
    order: Pointer,
    lowerRuns: Pointer,
    lowerCount: number,
    lowerIndices: Pointer,
    lower: Pointer,
    upperRuns: Pointer,
    upperCount: number,
    upperIndices: Pointer,
    upper: Pointer,
    inverse: Pointer,
    mates: Pointer,
    vector: Pointer,
    scratch: Pointer,
  ): void;
  ilu0Update(ilu0: Pointer, operator: Pointer): number;
  ilu0Apply(ilu0: Pointer, r: Pointer, z: Pointer): void;
  preconditionerSize(): number;
  makeJacobi(preconditioner: Pointer, n: number, inverse: Pointer): void;
  makeIlu0(preconditioner: Pointer, ilu0: Pointer): void;
  multigridSize(height: number, width: number, stretched: boolean): number;
  multigridInit(multigrid: Pointer, height: number, width: number, sweeps: number, stretched: boolean): void;
  multigridUpdate(multigrid: Pointer, data: Pointer): number;
  multigridApply(multigrid: Pointer, r: Pointer, z: Pointer): void;
  makeMultigrid(preconditioner: Pointer, multigrid: Pointer): void;
  transformSize(height: number, width: number, reflecting: boolean): number;
  transformInit(transform: Pointer, height: number, width: number, reflecting: boolean): void;
  transformUpdate(transform: Pointer, data: Pointer): number;
  transformApply(transform: Pointer, r: Pointer, z: Pointer): void;
  makeTransform(preconditioner: Pointer, transform: Pointer): void;
  makeDirect(preconditioner: Pointer, direct: Pointer): void;
  makeHostPreconditioner(preconditioner: Pointer, n: number, id: number): void;
  applyPreconditioner(preconditioner: Pointer, r: Pointer, z: Pointer): void;

  vectorStride(n: number): number;
  loosen(workspace: Pointer, share: number): void;
  statusOf(workspace: Pointer): number;
  iterationsOf(workspace: Pointer): number;
  matvecsOf(workspace: Pointer): number;
  residualNormOf(workspace: Pointer): number;
  estimateOf(workspace: Pointer): number;
  rightHandSideNormOf(workspace: Pointer): number;
  takeHistory(workspace: Pointer): number;

  bicgstabSize(n: number, preconditioned: boolean): number;
  bicgstabInit: Init<[]>;
  bicgstabStep(workspace: Pointer, count: number): number;
  mixedSize(height: number, width: number, preconditioned: boolean): number;
  mixedInit: Init<[height: number, width: number]>;
  mixedStep(workspace: Pointer, count: number): number;
  mixedIsSingle(workspace: Pointer): number;
  cgSize(n: number, preconditioned: boolean): number;
  cgInit: Init<[]>;
  cgStep(workspace: Pointer, count: number): number;
  refinementSize(n: number): number;
  refinementInit: Init<[]>;
  refinementStep(workspace: Pointer, count: number): number;
  gmresSize(n: number, restart: number): number;
  gmresInit: Init<[restart: number, left: boolean]>;
  gmresStep(workspace: Pointer, count: number): number;
  gmresBasis(workspace: Pointer): Pointer;
  gmresColumns(workspace: Pointer): number;
  gmresHessenberg(workspace: Pointer): Pointer;
  gcrodrSize(n: number, restart: number): number;
  gcrodrInit: Init<[restart: number, space: Pointer]>;
  gcrodrStep(workspace: Pointer, count: number): number;
  recycleSize(n: number, dim: number, images: boolean): number;
  recycleInit(space: Pointer, n: number, dim: number, images: boolean): void;
  recycleClear(space: Pointer): void;
  recycleColumns(space: Pointer): number;
  recycleBasis(space: Pointer): Pointer;
  recycleImages(space: Pointer): Pointer;

  packLane(n: number, lanes: number, single: boolean, lane: number, source: Pointer, target: Pointer): void;
  unpackLane(n: number, lanes: number, single: boolean, lane: number, source: Pointer, target: Pointer): void;
  csrMultiplyLanes(
    n: number,
    lanes: number,
    single: boolean,
    indptr: Pointer,
    indices: Pointer,
    data: Pointer,
    x: Pointer,
    y: Pointer,
  ): void;
  csrMultiplyDotsLanes(
    n: number,
    lanes: number,
    single: boolean,
    indptr: Pointer,
    indices: Pointer,
    data: Pointer,
    x: Pointer,
    y: Pointer,
    w: Pointer,
    yw: Pointer,
    yy: Pointer,
  ): void;
  ilu0SolveLanes(
    n: number,
    lanes: number,
    single: boolean,
    indptr: Pointer,
    indices: Pointer,
    data: Pointer,
    diagonal: Pointer,
    inverse: Pointer,
    r: Pointer,
    z: Pointer,
  ): void;
  batchSize(n: number, lanes: number, single: boolean, preconditioned: boolean): number;
  batchInit(
    workspace: Pointer,
    n: number,
    lanes: number,
    indptr: Pointer,
    indices: Pointer,
    data: Pointer,
    kind: 0 | 1 | 2,
    factors: Pointer,
    diagonal: Pointer,
    inverse: Pointer,
    systems: Pointer,
  ): void;
  batchLane(workspace: Pointer, lane: number): Pointer;
  batchStart(
    workspace: Pointer,
    lane: number,
    values: Pointer,
    b: Pointer,
    x: Pointer,
    rtol: number,
    atol: number,
    maxiter: number,
    zeroStart: boolean,
  ): number;
  batchPrecondition(workspace: Pointer, lane: number, factors: Pointer, inverse: Pointer): void;
  batchDrop(workspace: Pointer, lane: number): void;
  batchTake(workspace: Pointer, lane: number, x: Pointer): void;
  batchStep(workspace: Pointer, count: number): number;

  andersonSize(n: number): number;
  andersonInit(workspace: Pointer, n: number): void;
  andersonStart(workspace: Pointer): Pointer;
  andersonStep(workspace: Pointer, preconditioner: Pointer, x: Pointer): Pointer;

  orthogonalize(
    n: number,
    k: number,
    V: Pointer,
    stride: number,
    w: Pointer,
    h: Pointer,
    work: Pointer,
  ): number;
  solveDense(k: number, A: Pointer, y: Pointer): number;
  schur(k: number, T: Pointer, Z: Pointer, work: Pointer): number;
  solveCholesky(k: number, G: Pointer, y: Pointer, least: number): number;
  crossGram(n: number, k: number, V: Pointer, vStride: number, W: Pointer, wStride: number, G: Pointer): void;
  gram(n: number, k: number, W: Pointer, stride: number, G: Pointer): void;
  mergeBasis(
    n: number,
    k: number,
    room: number,
    V: Pointer,
    stride: number,
    m: number,
    C: Pointer,
    cStride: number,
    tolerance: number,
    work: Pointer,
  ): number;
  applyToBasis(
    operator: Pointer,
    k: number,
    V: Pointer,
    stride: number,
    single: boolean,
    W: Pointer,
    wStride: number,
    scratch: Pointer,
  ): void;
  orthogonality(n: number, k: number, V: Pointer, stride: number, work: Pointer): number;
  projectGalerkin: Project;
  projectMinimalResidual: Project;
  pushDifference(n: number, count: number, D: Pointer, stride: number, x: Pointer): void;
  startFromDifferences(
    operator: Pointer,
    n: number,
    k: number,
    D: Pointer,
    stride: number,
    W: Pointer,
    small: Pointer,
    b: Pointer,
    x: Pointer,
  ): void;

  gradient(
    height: number,
    width: number,
    dx: number,
    dy: number,
    order: 0 | 1,
    m: Pointer,
    gx: Pointer,
    gy: Pointer,
  ): void;
  flatDifference(n: number, h: number, m: Pointer, s: Pointer): void;
  naAssemble(n: number, step: number, x: number, y: number, s: Pointer, data: Pointer): void;
  naRichardson(
    n: number,
    step: number,
    x: number,
    y: number,
    h: number,
    alpha: number,
    beta: number,
    b: Pointer,
    m: Pointer,
    p: Pointer,
    scratch: Pointer,
  ): number;
  lauAssemble(
    height: number,
    width: number,
    dx: number,
    dy: number,
    g: number,
    centre: number,
    m: Pointer,
    fx: Pointer,
    fy: Pointer,
    data: Pointer,
  ): void;
  lauResidual(
    height: number,
    width: number,
    dx: number,
    dy: number,
    g: number,
    centre: number,
    m: Pointer,
    fx: Pointer,
    fy: Pointer,
    b: Pointer,
    r: Pointer,
  ): number;
  consistentAssemble(
    height: number,
    width: number,
    dx: number,
    dy: number,
    D: number,
    tau: number,
    advection: 0 | 1 | 2,
    newton: boolean,
    reflecting: boolean,
    m: Pointer,
    base: Pointer,
    fx: Pointer,
    fy: Pointer,
    border: Pointer,
    data: Pointer,
    b: Pointer,
  ): void;
  consistentResidual(
    height: number,
    width: number,
    dx: number,
    dy: number,
    D: number,
    tau: number,
    advection: 0 | 1 | 2,
    reflecting: boolean,
    m: Pointer,
    base: Pointer,
    fx: Pointer,
    fy: Pointer,
    border: Pointer,
    ghosts: Pointer,
    r: Pointer,
  ): number;
  countSteepCells(
    height: number,
    width: number,
    dx: number,
    dy: number,
    D: number,
    reflecting: boolean,
    m: Pointer,
    fx: Pointer,
    fy: Pointer,
    border: Pointer,
    ghosts: Pointer,
    out: Pointer,
  ): number;

  pairDensity(
    n: number,
    wanted: number,
    bins: number,
    weight: number,
    floor: number,
    K: Pointer,
    once: Pointer,
    x: Pointer,
    y: Pointer,
    density: Pointer,
  ): void;
  transpose(size: number, A: Pointer): void;

  philox(c0: number, c1: number, c2: number, c3: number, k0: number, k1: number, out: Pointer): void;
  normalPair(words: Pointer, normals: Pointer): void;
  cellScores(height: number, width: number, cx: number, cy: number, p: Pointer, cells: Pointer): void;
  drawPoints(
    count: number,
    height: number,
    width: number,
    rows: Pointer,
    cells: Pointer,
    seedLow: number,
    seedHigh: number,
    first: number,
    x: Pointer,
  ): void;
  movePoints(
    count: number,
    height: number,
    width: number,
    cells: Pointer,
    noiseX: number,
    noiseY: number,
    seedLow: number,
    seedHigh: number,
    first: number,
    step: number,
    x: Pointer,
    out: Pointer,
  ): void;
  movePointsHeun(
    count: number,
    height: number,
    width: number,
    before: Pointer,
    after: Pointer,
    x: Pointer,
  ): void;
}

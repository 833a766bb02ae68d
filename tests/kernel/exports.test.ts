import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { binaries } from '../../src/wasm/binaries.ts';
import type { KernelExports } from '../../src/wasm/exports.ts';
import { BUILDS, useRoom } from './harness.ts';

/** The file of this folder that tests each export on all builds. A new export does not compile without one. */
const TESTED_IN: Record<keyof KernelExports, string> = {
  memory: 'harness.ts',
  allocate: 'arena.test.ts',
  release: 'arena.test.ts',
  bytesInUse: 'arena.test.ts',
  setMemoryLimit: 'arena.test.ts',
  dot: 'vector.test.ts',
  maxAbs: 'vector.test.ts',
  norm2: 'vector.test.ts',
  axpy: 'vector.test.ts',
  xpay: 'vector.test.ts',
  scale: 'vector.test.ts',
  multiply: 'vector.test.ts',
  subtract: 'vector.test.ts',
  copy: 'vector.test.ts',
  zero: 'vector.test.ts',
  distanceSquared: 'vector.test.ts',
  dotAndSquare: 'vector.test.ts',
  subtractScaledAndSquare: 'vector.test.ts',
  blockDot: 'block.test.ts',
  blockUpdate: 'block.test.ts',
  vectorStride: 'block.test.ts',
  csrMultiply: 'csr.test.ts',
  csrMultiplyTransposed: 'csr.test.ts',
  diaMultiply: 'dia.test.ts',
  diaMultiplyDot: 'dia.test.ts',
  findDiagonals: 'pattern.test.ts',
  markEntries: 'pattern.test.ts',
  spreadEntries: 'pattern.test.ts',
  csrDiagonal: 'pattern.test.ts',
  diaDiagonal: 'pattern.test.ts',
  invert: 'pattern.test.ts',
  operatorSize: 'csr.test.ts',
  makeCsr: 'matrices.ts',
  makeDia: 'matrices.ts',
  makeHostOperator: 'matrices.ts',
  applyOperator: 'dia.test.ts',
  applyAndDot: 'dia.test.ts',
  directSize: 'direct.test.ts',
  directInit: 'direct.test.ts',
  directRelease: 'direct.test.ts',
  directFactor: 'direct.test.ts',
  directForm: 'direct.test.ts',
  directOrdering: 'direct.test.ts',
  directOrder: 'direct.test.ts',
  directColumn: 'direct.test.ts',
  directReused: 'direct.test.ts',
  directNonzeros: 'direct.test.ts',
  directFill: 'direct.test.ts',
  directSolve: 'direct.test.ts',
  directSolveMany: 'direct.test.ts',
  directRefine: 'direct.test.ts',
  directResidual: 'direct.test.ts',
  directBackwardError: 'direct.test.ts',
  directCondition: 'direct.test.ts',
  makeDirect: 'direct.test.ts',
  refinementSize: 'krylov.ts',
  refinementInit: 'krylov.ts',
  refinementStep: 'krylov.ts',
  ilu0Factor: 'matrices.ts',
  ilu0Solve: 'preconditioner.test.ts',
  preconditionerSize: 'matrices.ts',
  makeJacobi: 'matrices.ts',
  makeIlu0: 'matrices.ts',
  multigridSize: 'multigrid.test.ts',
  multigridInit: 'multigrid.test.ts',
  multigridUpdate: 'multigrid.test.ts',
  multigridApply: 'multigrid.test.ts',
  makeMultigrid: 'multigrid.test.ts',
  transformSize: 'transform.test.ts',
  transformInit: 'transform.test.ts',
  transformUpdate: 'transform.test.ts',
  transformApply: 'transform.test.ts',
  makeTransform: 'transform.test.ts',
  makeHostPreconditioner: 'matrices.ts',
  applyPreconditioner: 'preconditioner.test.ts',
  loosen: 'iteration.test.ts',
  statusOf: 'krylov.ts',
  iterationsOf: 'krylov.ts',
  matvecsOf: 'krylov.ts',
  residualNormOf: 'krylov.ts',
  estimateOf: 'krylov.ts',
  rightHandSideNormOf: 'krylov.ts',
  takeHistory: 'krylov.ts',
  bicgstabSize: 'krylov.ts',
  bicgstabInit: 'krylov.ts',
  bicgstabStep: 'krylov.ts',
  mixedSize: 'mixed-run.ts',
  mixedInit: 'mixed-run.ts',
  mixedStep: 'mixed-run.ts',
  mixedIsSingle: 'mixed-run.ts',
  cgSize: 'krylov.ts',
  cgInit: 'krylov.ts',
  cgStep: 'krylov.ts',
  gmresSize: 'krylov.ts',
  gmresInit: 'krylov.ts',
  gmresStep: 'krylov.ts',
  gmresBasis: 'gmres-basis.test.ts',
  gmresColumns: 'gmres-basis.test.ts',
  gmresHessenberg: 'gmres-basis.test.ts',
  gcrodrSize: 'krylov.ts',
  gcrodrInit: 'krylov.ts',
  gcrodrStep: 'krylov.ts',
  recycleSize: 'krylov.ts',
  recycleInit: 'krylov.ts',
  recycleClear: 'gcrodr.test.ts',
  recycleColumns: 'krylov.ts',
  recycleBasis: 'krylov.ts',
  recycleImages: 'krylov.ts',
  packLane: 'batch.test.ts',
  unpackLane: 'batch.test.ts',
  csrMultiplyLanes: 'batch.test.ts',
  csrMultiplyDotsLanes: 'batch.test.ts',
  ilu0SolveLanes: 'batch.test.ts',
  batchSize: 'batch-run.ts',
  batchInit: 'batch-run.ts',
  batchLane: 'batch-run.ts',
  batchStart: 'batch-run.ts',
  batchPrecondition: 'batch-run.ts',
  batchDrop: 'batch-run.ts',
  batchTake: 'batch-run.ts',
  batchStep: 'batch-run.ts',
  andersonSize: 'anderson.test.ts',
  andersonInit: 'anderson.test.ts',
  andersonStart: 'anderson.test.ts',
  andersonStep: 'anderson.test.ts',
  orthogonalize: 'arnoldi.test.ts',
  solveDense: 'dense.test.ts',
  solveCholesky: 'dense.test.ts',
  crossGram: 'gram.test.ts',
  gram: 'gram.test.ts',
  mergeBasis: 'merge.test.ts',
  widen: 'single.test.ts',
  narrow: 'single.test.ts',
  blockUpdateSingle: 'single.test.ts',
  csrMultiplyFour: 'csr.test.ts',
  schur: 'schur.test.ts',
  applyToBasis: 'projection.test.ts',
  orthogonality: 'arnoldi.test.ts',
  projectGalerkin: 'projection.test.ts',
  projectMinimalResidual: 'projection.test.ts',
  gradient: 'fokkerplanck.test.ts',
  flatDifference: 'fokkerplanck.test.ts',
  naAssemble: 'fokkerplanck.test.ts',
  naRichardson: 'fokkerplanck.test.ts',
  lauAssemble: 'fokkerplanck.test.ts',
  lauResidual: 'fokkerplanck.test.ts',
  consistentAssemble: 'fokkerplanck.test.ts',
  consistentResidual: 'fokkerplanck.test.ts',
  countSteepCells: 'fokkerplanck.test.ts',
  pairDensity: 'density.test.ts',
  transpose: 'density.test.ts',
};

describe.each(BUILDS)('the module, %s', (build) => {
  // The room sees to it that a runtime without the build fails here, and has the flag that Node 20 needs.
  const room = useRoom(build);
  let module: WebAssembly.Module;

  beforeAll(async () => {
    module = await WebAssembly.compile(binaries[build]);
  });

  it('exports what is typed and tested, and nothing else', () => {
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(names.sort()).toEqual(Object.keys(TESTED_IN).sort());
    expect(Object.keys(room.k).sort()).toEqual(names.sort());
  });

  it('imports the host function, and nothing else', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([
      { module: 'host', name: 'multiply', kind: 'function' },
    ]);
  });
});

describe('the table of tests', () => {
  it.each(Object.entries(TESTED_IN))('%s is used in %s', (name, file) => {
    const text = readFileSync(new URL(file, import.meta.url), 'utf8');
    expect(text).toMatch(new RegExp(`\\b${name}\\b`));
  });
});

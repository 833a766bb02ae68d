import fc from 'fast-check';
import type { KernelExports, Pointer } from '../../../src/wasm/exports.ts';
import { fuzzEngines, spoil } from '../kernel/engines.ts';
import { NUMBERS, numbers } from '../kernel/systems.ts';
import { ensure, type FuzzTarget, latin1, utf8 } from '../target.ts';

interface ExportCase {
  name: keyof typeof CALLS;
  n: number;
  k: number;
  height: number;
  width: number;
  numbers: (typeof NUMBERS)[number] | 'not-finite';
  a: number;
  seed: number;
}

/** Arrays for one call, each a block of its own: what lies beside it belongs to nobody. */
class Arrays {
  readonly k: KernelExports;
  readonly #case: ExportCase;
  readonly #blocks: { pointer: Pointer; bytes: number }[] = [];
  #stream = 0;

  constructor(exports: KernelExports, one: ExportCase) {
    this.k = exports;
    this.#case = one;
  }

  bytes(bytes: number): Pointer {
    const pointer = this.k.allocate(bytes) >>> 0;
    ensure(pointer !== 0, 'there is no memory');
    this.#blocks.push({ pointer, bytes });
    return pointer;
  }

  /** Zeros, to be written. */
  out(count: number): Pointer {
    return this.bytes(8 * count);
  }

  of(values: ArrayLike<number>): Pointer {
    const pointer = this.out(values.length);
    new Float64Array(this.k.memory.buffer, pointer, values.length).set(values);
    return pointer;
  }

  /** Numbers of the case's kind. */
  in(count: number): Pointer {
    const { numbers: kind, seed } = this.#case;
    const values = numbers(kind === 'not-finite' ? 'mixed' : kind, count, seed, this.#stream++);
    if (kind === 'not-finite') {
      for (let k = seed % 3; k < count; k += 1 + (seed % 4))
        values[k] = [Number.NaN, Infinity, -Infinity][k % 3];
    }
    return this.of(values);
  }

  integers(values: ArrayLike<number>): Pointer {
    const pointer = this.bytes(4 * values.length);
    new Int32Array(this.k.memory.buffer, pointer, values.length).set(values);
    return pointer;
  }

  /** All that is in them, and releases them. */
  take(): Float64Array[] {
    return this.#blocks.splice(0).map(({ pointer, bytes }) => {
      // What is no whole number of f64 are integers.
      const values =
        bytes % 8 === 0
          ? new Float64Array(this.k.memory.buffer, pointer, bytes / 8).slice()
          : Float64Array.from(new Int32Array(this.k.memory.buffer, pointer, bytes / 4));
      this.k.release(pointer);
      return values;
    });
  }
}

/** indptr and indices of n sorted rows, some of them empty. */
function pattern({ n, seed }: ExportCase): { indptr: number[]; indices: number[] } {
  const indptr = [0];
  const indices: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++)
      if ((i * 31 + j * 17 + seed) % 5 === 0 || (i === j && seed % 2 === 0)) indices.push(j);
    indptr.push(indices.length);
  }
  return { indptr, indices };
}

type Call = (r: Arrays, one: ExportCase) => unknown;

const csr = (r: Arrays, one: ExportCase) => {
  const { indptr, indices } = pattern(one);
  return [r.integers(indptr), r.integers(indices), r.in(indices.length)] as const;
};
/** Columns one after the other, without a gap. */
const columns = (r: Arrays, { n }: ExportCase, count: number) => [r.in(n * count), 8 * n] as const;
/** Running sums, as they are made of masses. */
const sums = (count: number, seed: number, offset: number) => {
  let sum = 0;
  return Array.from({ length: count }, (_, k) => {
    sum += (k * 7 + seed + offset) % 4;
    return sum;
  });
};
const cells = (r: Arrays, { height, width }: ExportCase) => r.in(4 * height * width);

// biome-ignore format: a table
const CALLS = {
  dot: (r, { n }) => r.k.dot(n, r.in(n), r.in(n)),
  maxAbs: (r, { n }) => r.k.maxAbs(n, r.in(n)),
  norm2: (r, { n }) => r.k.norm2(n, r.in(n)),
  axpy: (r, { n, a }) => r.k.axpy(n, a, r.in(n), r.in(n)),
  xpay: (r, { n, a }) => r.k.xpay(n, r.in(n), a, r.in(n)),
  scale: (r, { n, a }) => r.k.scale(n, a, r.in(n)),
  multiply: (r, { n }) => r.k.multiply(n, r.in(n), r.in(n), r.out(n)),
  subtract: (r, { n }) => r.k.subtract(n, r.in(n), r.in(n), r.out(n)),
  copy: (r, { n }) => r.k.copy(n, r.in(n), r.out(n)),
  zero: (r, { n }) => r.k.zero(n, r.in(n)),
  distanceSquared: (r, { n }) => r.k.distanceSquared(n, r.in(n), r.in(n)),
  dotAndSquare: (r, { n }) => r.k.dotAndSquare(n, r.in(n), r.in(n), r.out(2)),
  subtractScaledAndSquare: (r, { n, a }) => r.k.subtractScaledAndSquare(n, a, r.in(n), r.in(n)),
  invert: (r, { n }) => r.k.invert(n, r.in(n)),
  widen: (r, { n }) => r.k.widen(n, r.bytes(4 * n), r.out(n)),
  narrow: (r, { n }) => r.k.narrow(n, r.in(n), r.bytes(4 * n)),
  blockDot: (r, one) => r.k.blockDot(one.n, one.k, ...columns(r, one, one.k), r.in(one.n), r.out(one.k)),
  blockUpdate: (r, one) => r.k.blockUpdate(one.n, one.k, one.seed % 2 ? 1 : -1, ...columns(r, one, one.k), r.in(one.k), r.in(one.n)),
  blockUpdateSingle: (r, { n, k }) => r.k.blockUpdateSingle(n, k, r.bytes(4 * n * k), 4 * n, r.in(k), r.in(n), r.out(n)),
  orthogonalize: (r, one) => r.k.orthogonalize(one.n, one.k, ...columns(r, one, one.k), r.in(one.n), r.out(one.k + 1), r.out(one.k)),
  gram: (r, one) => r.k.gram(one.n, one.k, ...columns(r, one, one.k), r.out(one.k * one.k)),
  crossGram: (r, one) => r.k.crossGram(one.n, one.k, ...columns(r, one, one.k), ...columns(r, one, one.k), r.out(one.k * one.k)),
  solveDense: (r, { k }) => r.k.solveDense(k, r.in(k * k), r.in(k)),
  solveCholesky: (r, { k, a }) => r.k.solveCholesky(k, r.in(k * k), r.in(k), Math.abs(a)),
  schur: (r, { k }) => r.k.schur(k, r.in(k * k), r.out(k * k), r.out(2 * k + 16)),
  mergeBasis: (r, one) => r.k.mergeBasis(one.n, 0, one.k, r.out(one.n * one.k), 8 * one.n, 4, ...columns(r, one, 4), 1e-8, r.out(4 + 2 * one.k + 1)),
  orthogonality: (r, one) => r.k.orthogonality(one.n, one.k, ...columns(r, one, one.k), r.out(one.k)),
  pushDifference: (r, one) => r.k.pushDifference(one.n, one.k, ...columns(r, one, one.k + 1), r.in(one.n)),
  csrMultiply: (r, one) => r.k.csrMultiply(one.n, ...csr(r, one), r.in(one.n), r.out(one.n)),
  csrMultiplyTransposed: (r, one) => r.k.csrMultiplyTransposed(one.n, one.n, ...csr(r, one), r.in(one.n), r.out(one.n)),
  findDiagonals: (r, one) => { const [indptr, indices] = csr(r, one); return r.k.findDiagonals(one.n, indptr, indices, one.k, r.bytes(4 * one.k)); },
  levelOrder: (r, one) => { const [indptr, indices] = csr(r, one); return r.k.levelOrder(one.n, indptr, indices, r.bytes(4 * one.n), r.bytes(4 * (5 * one.n + 4))); },
  gradient: (r, { height, width, a, seed }) => r.k.gradient(height, width, a, 1, seed % 2 as 0 | 1, r.in(height * width), r.out(height * width), r.out(height * width)),
  flatDifference: (r, { n, a }) => r.k.flatDifference(n, a, r.in(n), r.out(n)),
  transpose: (r, { k }) => r.k.transpose(k, r.in(k * k)),
  pairDensity: (r, { n, height, seed }) => { const bins = height + 1; const at = Array.from({ length: n }, (_, k) => [0, 1, 0.5, 1 - 2 ** -53, 5e-324, (k + seed) % 7 / 7][(k + seed) % 6]); return r.k.pairDensity(n, n, bins, 1, 1e-10, r.in(bins * bins), r.out(bins * bins), r.of(at), r.of(at.slice().reverse()), r.out(n)); },
  philox: (r, { seed, n }) => r.k.philox(seed, n, -1, 2 ** 31, seed, -seed, r.out(2)),
  normalPair: (r, { n }) => r.k.normalPair(r.integers([n % 2 ? -1 : 0, 0, n % 3 ? 0 : -1, n]), r.out(2)),
  cellScores: (r, { height, width, a }) => r.k.cellScores(height, width, a, 1, r.in(height * width), r.out(4 * height * width)),
  drawPoints: (r, { n, height, width, seed }) => r.k.drawPoints(n, height, width, r.of(sums(height, seed, 1)), r.of(Array.from({ length: height }, (_, i) => sums(width, seed, i)).flat()), seed, 0, seed, r.out(2 * n)),
  movePoints: (r, one) => { const x = r.in(2 * one.n); return r.k.movePoints(one.n, one.height, one.width, cells(r, one), one.a, one.k, one.seed, 0, 2 ** 40, 7, x, one.seed % 2 ? x : r.out(2 * one.n)); },
  movePointsHeun: (r, one) => r.k.movePointsHeun(one.n, one.height, one.width, cells(r, one), cells(r, one), r.in(2 * one.n)),
} as const satisfies Record<string, Call>;

const made = fc
  .record({
    name: fc.constantFrom(...(Object.keys(CALLS) as (keyof typeof CALLS)[])),
    n: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 257)),
    k: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 2, max: 9 }),
    width: fc.integer({ min: 2, max: 9 }),
    numbers: fc.constantFrom(...NUMBERS, 'not-finite'),
    a: fc.constantFrom(0, 1, -1, 0.5, 1e300, 5e-324, -1e-200),
    seed: fc.nat(500),
  })
  .map((one) => utf8(JSON.stringify(one)));

function call(exports: KernelExports, one: ExportCase): Float64Array[] {
  const arrays = new Arrays(exports, one);
  const result = (CALLS[one.name] as Call)(arrays, one);
  const taken = [...arrays.take(), Float64Array.of(Number(result ?? 0))];
  ensure(exports.bytesInUse() === 0, 'memory is left in use');
  return taken;
}

/** Exports by themselves, with arrays of exactly the sizes that their comments name, and any numbers in them. */
export const kernelExports: FuzzTarget = {
  name: 'kernel-exports',
  seeds: () => [],
  generate: made,
  damage: false,
  memory: () => 2 ** 24,
  async prepare() {
    await fuzzEngines();
  },
  async run(input) {
    const one = JSON.parse(latin1(input)) as ExportCase;
    const { scalar, simd, published } = await fuzzEngines();
    try {
      call(scalar.kernel.exports, one);
      const watched = call(simd.kernel.exports, one);
      const wanted = call(published.kernel.exports, one);
      watched.forEach((values, k) => {
        const at = values.findIndex((value, i) => !Object.is(value, wanted[k][i]));
        ensure(at < 0, `array ${k}, number ${at}: watched ${values[at]}, published ${wanted[k][at]}`);
      });
    } catch (error) {
      spoil();
      throw error;
    }
  },
};

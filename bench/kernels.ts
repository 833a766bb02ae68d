// Every export of the kernel against plain TypeScript, on all builds, warm and cold; beside it C on this machine.

import { setFlagsFromString } from 'node:v8';
import { BUILDS, type Build } from '../src/wasm/builds.ts';
import type { KernelExports } from '../src/wasm/exports.ts';
import { supportsBuild } from '../src/wasm/features.ts';
import { kernels } from '../src/wasm/kernels/bytes.ts';
import { coldInstance, compare, EFFORT, local, type Side, type Timing } from './harness.ts';
import { BOOKS, CASES, ELSEWHERE, type KernelCase, makeInput, type Work } from './kernel-cases.ts';
import { startNative } from './native.ts';
import { type Case, digits, machine, publish, readArguments, type Table, wanted } from './results.ts';
import { Room } from './room.ts';

// Node 20 has relaxed SIMD behind a flag.
setFlagsFromString('--experimental-wasm-relaxed-simd');

/** Rounding may differ by the order of the terms; more is a mistake. */
const AGREEMENT = 1e-9;
/** Instances whose first call is taken. */
const COLD = { quick: 3, full: 3 } as const;
/** The build of `kernel-cases.ts`, from that of this file. */
const CASES_FILE = './kernel-cases.js';
/** What the C program has. */
const CEILING: Readonly<Record<string, string>> = { diaMultiply: 'dia', dot: 'dot', axpy: 'axpy' };

const args = readArguments();
const sizes = args.quick ? [32, 128] : [32, 64, 128, 256, 512];
const effort = args.quick ? { ...EFFORT.quick, sample: 2 } : { ...EFFORT.full, sample: 4, rounds: 7 };
const builds = BUILDS.filter(supportsBuild);
const binaries = Object.fromEntries(
  await Promise.all(builds.map(async (build) => [build, (await kernels[build]()) as Uint8Array] as const)),
);
const native = startNative(['C, 128 bit', 'C, native']);

const cases: Case[] = [];
const tables: Table[] = [];
for (const side of sizes) {
  const n = side * side;
  const input = makeInput(side);
  const rows: string[][] = [];
  for (const name of Object.keys(CASES) as (keyof typeof CASES)[]) {
    if (!wanted(`${name}/${n}`, args.only)) continue;
    // A module of its own for each measurement: V8 compiles a function by all that it was ever called with, so
    // plain code would be fast or slow by what ran before it.
    const fresh: typeof import('./kernel-cases.ts') = await import(`${CASES_FILE}?${name}-${n}`);
    const it = fresh.CASES[name]!;
    // Small first: where a function's first call is a long one, V8 compiles it in the middle of its loop, and keeps that.
    const small = it.plain(fresh.makeInput(8));
    for (let k = 0; k < 3000; k++) small.run();
    const plain = it.plain(input);
    plain.run();
    const reference = Array.from(plain.result());
    const rooms = builds.map((build) => new Room(coldInstance<KernelExports>(binaries[build])));
    const works = rooms.map((room) => it.kernel(room, input));
    for (const [k, work] of works.entries()) {
      work.run();
      checkAgreement(`${name}, ${builds[k]}, n = ${n}`, work, reference);
    }
    const names: string[] = ['plain', ...builds];
    const sides: Side[] = [plain, ...works].map(({ run }) => local(run));
    for (const [label, peer] of native.peers) {
      if (CEILING[name] === undefined) continue;
      names.push(label);
      sides.push(peer.side(`kernel ${CEILING[name]} ${side}`));
    }
    const timings = await compare(sides, effort);
    const byName = Object.fromEntries(names.map((label, k) => [label, timings[k]]));
    const cold = Object.fromEntries(builds.map((build) => [build, firstCall(build, it)]));
    const ratio = (byName.simd ?? byName.scalar).cpu / byName.plain.cpu;
    cases.push({
      key: `${name}/${n}`,
      ratio,
      gflops: mapped(byName, ({ cpu }) => it.flops(n) / cpu / 1e6),
      gigabytes: mapped(byName, ({ cpu }) => it.bytes(n) / cpu / 1e6),
      timings: byName,
      cold,
    });
    const gflops = (label: string) => {
      const timing = byName[label];
      return timing === undefined ? '-' : digits(it.flops(n) / timing.cpu / 1e6);
    };
    const simd = byName.simd ?? byName.scalar;
    rows.push([
      name,
      gflops('plain'),
      ...BUILDS.map(gflops),
      digits(it.bytes(n) / simd.cpu / 1e6),
      digits(1 / ratio),
      `${Math.round(100 * simd.spread)} %`,
      digits(simd.cpu * 1000),
      digits((cold.simd ?? cold.scalar) * 1000),
      gflops('C, 128 bit'),
      gflops('C, native'),
    ]);

    /** Milliseconds of the first call in a fresh instance. */
    function firstCall(build: Build, { kernel }: KernelCase): number {
      const times = Array.from({ length: COLD[args.quick ? 'quick' : 'full'] }, () => {
        const { run } = kernel(new Room(coldInstance<KernelExports>(binaries[build])), input);
        const began = performance.now();
        run();
        return performance.now() - began;
      }).sort((a, b) => a - b);
      return times[Math.floor(times.length / 2)];
    }
  }
  if (rows.length === 0) continue;
  tables.push({
    title: `n = ${n}, GFLOP/s`,
    head: [
      'export',
      'plain TS',
      ...BUILDS,
      'simd GB/s',
      'simd : plain',
      'spread',
      'simd us',
      'cold us',
      'C, 128 bit',
      'C, native',
    ],
    rows,
  });
}
for (const peer of native.peers.values()) peer.close();

const unmeasured = exportNames().filter(
  (name) => !(name in CASES) && !(name in ELSEWHERE) && !BOOKS.test(name),
);
await publish(
  args,
  {
    name: 'kernels',
    command: 'npm run bench:kernels',
    machine: { ...machine(), ...native.versions },
    notes: [
      'CPU time, medians; one thread; all sides in turn. `simd : plain` says how many times faster the build is, `cold` is the first call in a fresh instance, compiled when it is called.',
      'Plain code gets its arrays as arguments, as that of a library does. V8 can be twice as fast where the arrays are constants of the compiled code, which no caller can count on.',
      'Methods run 10 iterations (GMRES a cycle of 30) from zero on the diagonals; blocks have 10 vectors.',
      ...Object.entries(ELSEWHERE).map(([name, why]) => `${name} has no row: ${why}`),
      ...(unmeasured.length > 0 ? [`not measured: ${unmeasured.join(', ')}`] : []),
      ...native.missing.map((what) => `not found: ${what}`),
    ],
    cases,
  },
  tables,
);

function checkAgreement(what: string, work: Work, reference: readonly number[]): void {
  const result = work.result();
  const scale = reference.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  for (let k = 0; k < reference.length; k++) {
    if (Math.abs(result[k] - reference[k]) <= AGREEMENT * scale) continue;
    throw new Error(`${what}: the kernel has ${result[k]}, the plain version ${reference[k]}, at ${k}`);
  }
}

function mapped(
  timings: Readonly<Record<string, Timing>>,
  value: (timing: Timing) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(timings).map(([name, timing]) => [name, value(timing)]));
}

function exportNames(): string[] {
  return Object.keys(coldInstance<KernelExports>(binaries[builds[0]]) as unknown as Record<string, unknown>);
}

// Cold start of the example for the edge: the first answers of a fresh workerd, beside those of a Worker that does
// nothing. Needs the packages of tests/runtimes.

import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// Not from the package's index: esbuild leaves out its initialisation where this is all that is taken from it.
import { poisson2d } from '../src/sparse/index.ts';
import { machine, publish, readArguments, type Table } from './results.ts';

/** What tests/runtimes offers; it has packages of its own, and is no part of this bundle. */
interface Tools {
  bundleWorker(entry: string, folder: string): Promise<string>;
  startWorker(script: string): Promise<{
    ready: Promise<unknown>;
    fetch(url: string, request?: RequestInit): Promise<Response>;
    dispose(): Promise<void>;
  }>;
  makePlace(): { folder: string; remove(): void };
  binarySystem(A: unknown, b: Float64Array): Uint8Array<ArrayBuffer>;
}

const tools = new URL('../../tests/runtimes/', import.meta.url);
const { bundleWorker, startWorker, makePlace, binarySystem } = Object.assign(
  {},
  ...(await Promise.all(
    ['worker-run.mjs', 'place.mjs', 'edge.mjs'].map((name) => import(String(new URL(name, tools)))),
  )),
) as Tools;

const args = readArguments();
const rounds = args.quick ? 3 : 15;
const A = poisson2d(64, 64);
const body = binarySystem(A, new Float64Array(64 * 64).fill(1));
const REQUEST = { method: 'POST', body, headers: { 'content-type': 'application/octet-stream' } };
const NOTHING = `export default { fetch: async (request) => new Response(String((await request.arrayBuffer()).byteLength)) };`;

const place = makePlace();
const other = mkdtempSync(join(tmpdir(), 'seedspan-noop-'));
const times: Record<string, number[]> = {};
const note = (name: string, ms: number) => {
  times[name] ??= [];
  times[name].push(ms);
};

/** Times of a fresh workerd: until it is ready, and of its first answers. */
async function measure(name: string, script: string): Promise<void> {
  let began = performance.now();
  const lap = (what: string) => {
    const now = performance.now();
    note(`${name}, ${what}`, now - began);
    began = now;
  };
  const worker = await startWorker(script);
  try {
    await worker.ready;
    lap('workerd starts');
    for (const what of ['first solve', 'second solve']) {
      const response = await worker.fetch('http://localhost/solve?rtol=1e-8', REQUEST);
      if (!response.ok) throw new Error(await response.text());
      await response.arrayBuffer();
      lap(what);
    }
  } finally {
    await worker.dispose();
  }
}

const sizes: Record<string, number> = {};
try {
  const example = join(place.folder, 'edge');
  cpSync(new URL('../../examples/edge', import.meta.url), example, { recursive: true });
  const worker = await bundleWorker(join(example, 'worker.js'), join(place.folder, 'bundle'));
  const noop = join(other, 'worker.mjs');
  mkdirSync(other, { recursive: true });
  writeFileSync(noop, NOTHING);
  sizes.script = statSync(worker).size;
  for (let round = 0; round < rounds; round++) {
    await measure('examples/edge', worker);
    await measure('a Worker that does nothing', noop);
  }
} finally {
  place.remove();
  rmSync(other, { recursive: true });
}

const spread = (values: number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))];
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
};
const cases = Object.entries(times).map(([key, values]) => ({ key, ...spread(values) }));
const table: Table = {
  title: 'Cold start, ms',
  head: ['what', 'median', 'quartiles'],
  rows: cases.map(({ key, median, low, high }) => [
    key,
    median.toFixed(1),
    `${low.toFixed(1)} to ${high.toFixed(1)}`,
  ]),
};
const notes = [
  `${rounds} fresh workerd processes each, in turn. The request is a system of 64 x 64 unknowns in the binary form (${body.length} bytes), by method auto, answered as JSON; wall time, loopback and miniflare included.`,
  `The example's script has ${Math.round(sizes.script / 1024)} KiB, and the kernel beside it.`,
];
await publish(args, { name: 'edge', command: 'npm run bench:edge', machine: machine(), notes, cases }, [
  table,
]);

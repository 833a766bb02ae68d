/**
 * `npm run fuzz [-- --cases N --seed N --jobs N --out FILE] [TARGET ...]`: every target in a thread with a small heap,
 * watched from here. What fails is shrunk and kept in `tests/fuzz/corpus/TARGET/`, from where it is run always.
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { installMeter } from './meter.ts';
import { keepCase, type Report, Runner } from './runner.ts';
import { findTarget, TARGETS } from './targets/index.ts';

/** The first number: how many cases; the second: the bytes of the present one, which follow. */
const HEAD = 8;
const ROOM = 1 << 20;
const HEAP_MEGABYTES = 256;
/** With no case finished for so long it hangs. */
const PATIENCE = 30_000;

interface Task {
  target: string;
  cases: number;
  seed: number;
  shared: SharedArrayBuffer;
}

async function work({ target, cases, seed, shared }: Task): Promise<void> {
  const counts = new Int32Array(shared, 0, 2);
  const present = new Uint8Array(shared, HEAD);
  if (findTarget(target).metered !== false) installMeter();
  const runner = new Runner(findTarget(target), (input) => {
    present.set(input.subarray(0, present.length));
    counts[1] = Math.min(input.length, present.length);
    Atomics.add(counts, 0, 1);
  });
  parentPort!.postMessage(await runner.run(cases, seed));
}

/** Runs one target. A thread that ends without a report, or hangs, has failed in its present case. */
function watch(target: string, cases: number, seed: number): Promise<Report & { rss: number }> {
  const shared = new SharedArrayBuffer(HEAD + ROOM);
  const counts = new Int32Array(shared, 0, 2);
  const workerTask: Task = { target, cases, seed, shared };
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: workerTask,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
    });
    let rss = 0;
    let last = -1;
    let since = performance.now();
    const end = (report: Report) => {
      clearInterval(timer);
      resolve({ ...report, rss });
      void worker.terminate();
    };
    const lost = (reason: string) => {
      const input = new Uint8Array(new Uint8Array(shared, HEAD, counts[1]));
      const report = new Runner(findTarget(target), () => {}).report;
      const file = keepCase(target, input);
      end({ ...report, cases: counts[0], failures: [{ reason, file }] });
    };
    const timer = setInterval(() => {
      rss = Math.max(rss, process.memoryUsage.rss());
      const now = Atomics.load(counts, 0);
      if (now !== last) {
        last = now;
        since = performance.now();
      } else if (now > 0 && performance.now() - since > PATIENCE) {
        lost(`it hangs: no end after ${PATIENCE / 1000} s`);
      }
    }, 100);
    worker.on('message', (report: Report) => end(report));
    worker.on('error', (error) => lost(`its thread ended: ${error.message}`));
  });
}

const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

/** One line of the table. */
function line({
  target,
  cases,
  accepted,
  refused,
  seconds,
  slowest,
  bytes,
  rss,
}: Report & { rss: number }): string {
  return [
    target.padEnd(24),
    ...[cases, accepted, refused].map((count) => String(count).padStart(9)),
    seconds.toFixed(1).padStart(9),
    (1000 * slowest).toFixed(0).padStart(11),
    megabytes(bytes).padStart(10),
    megabytes(rss).padStart(9),
  ].join('');
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cases: { type: 'string', default: process.env.SEEDSPAN_FUZZ ?? '100000' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '2' },
      out: { type: 'string' },
    },
  });
  const [cases, seed, jobs] = [values.cases, values.seed, values.jobs].map(Number);
  const wanted = positionals.length > 0 ? positionals.map(findTarget) : TARGETS;
  console.log(`seed ${seed}; what fails is kept in tests/fuzz/corpus and run again from there`);
  console.log(`target                      cases accepted  refused  seconds slowest ms arrays MB   RSS MB`);
  const waiting = [...wanted];
  const reports: Report[] = [];
  const next = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      const count = Math.max(1, Math.round(cases * (target.share ?? 1)));
      const report = await watch(target.name, count, seed);
      reports.push(report);
      console.log(line(report));
      for (const { reason, file } of report.failures)
        console.log(`  FAILED ${file}\n    ${reason.replaceAll('\n', '\n    ')}`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, next));
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify({ seed, reports }, null, 2));
  process.exitCode = reports.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

await (isMainThread ? main() : work(workerData as Task));

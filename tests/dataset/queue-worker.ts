// A worker in a process of its own, for tests that end it: its settings are one JSON argument.
import { connectQueue, serveQueue } from '../../src/dataset/queue/index.ts';
import { type FakeSettings, fakeRunner } from './fake-runner.ts';
import { FAST } from './queue-timing.ts';

export interface WorkerSettings extends FakeSettings {
  url: string;
  grace?: number;
  untilIdle?: number;
}

const settings = JSON.parse(process.argv[2]) as WorkerSettings;
const { url, grace, untilIdle, ...fake } = settings;
const controller = new AbortController();
process.on('SIGTERM', () => controller.abort());
const hooks = { signal: controller.signal, onNotice: (text: string) => process.stderr.write(`${text}\n`) };
const queue = await connectQueue({ url }, hooks);
process.stdout.write('ready\n');
const served = await serveQueue({
  queue,
  runner: fakeRunner(fake),
  timing: FAST,
  ...hooks,
  ...(grace === undefined ? {} : { grace }),
  ...(untilIdle === undefined ? {} : { untilIdle }),
});
queue.close();
process.stdout.write(`${JSON.stringify(served)}\n`);

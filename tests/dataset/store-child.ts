import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { createStore, lockStore, openStore } from '../../src/dataset/store/index.ts';
import { small, writeShard } from './made-up-store-values.ts';

/** Things that a test has done by a process that it can lose. */
const [task, path, number] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);

/** Kills this process in place of its n-th call that changes files or looks at them. */
async function dieAt(n: number): Promise<void> {
  let calls = 0;
  const guard = (owner: object, name: string) => {
    const methods = owner as Record<string, (...values: unknown[]) => unknown>;
    const original = methods[name];
    methods[name] = function (this: unknown, ...values) {
      if (++calls === n) process.kill(process.pid, 'SIGKILL');
      return original.apply(this, values);
    };
  };
  const file = await promises.open(path);
  for (const name of ['writeFile', 'sync', 'close']) guard(Object.getPrototypeOf(file), name);
  await file.close();
  calls = 0;
  for (const name of ['open', 'mkdir', 'readdir', 'access', 'lstat', 'rename', 'rm', 'rmdir'])
    guard(promises, name);
  syncBuiltinESMExports();
}

if (task === 'write') {
  const store = await openStore(path);
  await dieAt(Number(number));
  say((await writeShard(store, 0)).outcome);
} else if (task === 'write-all') {
  const store = await openStore(path);
  for (let shard = 0; shard < store.shards; shard++) {
    if (!(await store.isDone(shard))) say((await writeShard(store, shard)).outcome);
  }
} else if (task === 'create') {
  await createStore(path, small);
} else if (task === 'lock') {
  const lock = await lockStore(await openStore(path), { beat: 20 });
  say('locked');
  setInterval(() => undefined, 1000); // until it is killed
  lock.lost.addEventListener('abort', () => say('lost'));
}

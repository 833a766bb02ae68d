import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect } from 'vitest';
import { describeWithRedis } from '../dataset/redis.ts';
import { writePicture } from './pictures.ts';
import {
  expectDone,
  faultTest,
  makeReference,
  mountTest,
  type Place,
  QUICK,
  type Reference,
  reportedTwice,
  SLOW,
  tableAtEnd,
} from './place.ts';
import { type Running, signalAt, until } from './processes.ts';
import { doneShards, expectNoLeftovers, imageBytes, inside, metadata } from './stores.ts';

const FAILED = 6;

function isSameImage(now: (Buffer | undefined)[], then: (Buffer | undefined)[]): boolean {
  return now.every((bytes, k) => bytes !== undefined && then[k] !== undefined && bytes.equals(then[k]));
}

/** All images but these are as in the undisturbed run, and these are set aside, for such a reason. */
function expectSetAside(
  place: Place,
  store: string,
  reference: Reference,
  why: ReadonlyMap<number, RegExp>,
): void {
  const [errors, statuses, sources, hashes] = ['error', 'status', 'source', 'hash'].map((name) =>
    metadata(store, name),
  );
  const [thenStatuses, thenSources, thenHashes] = ['status', 'source', 'hash'].map((name) =>
    metadata(reference.store, name),
  );
  expect(sources).toEqual(thenSources);
  for (const image of sources.keys()) {
    const reason = why.get(image);
    if (reason !== undefined) {
      expect(errors[image], `image ${image}`).toMatch(reason);
      expect(statuses[image]).toBe(FAILED);
      expect(imageBytes(store, image)).toEqual([undefined, undefined, undefined]);
      continue;
    }
    const hash = (all: (number | string)[]) => all.slice(32 * image, 32 * image + 32).join();
    const isSame =
      errors[image] === '' &&
      statuses[image] === thenStatuses[image] &&
      hash(hashes) === hash(thenHashes) &&
      isSameImage(imageBytes(store, image), imageBytes(reference.store, image));
    if (!isSame) place.row.lost++;
  }
  expect(place.row.lost).toBe(0);
  expectNoLeftovers(store);
}

/** An image that ends whoever computes it: its shard, its place there, and what the shard's book says then. */
const SHARD = 3;
const DEADLY = 2;
const BOOK = (store: string) => inside(store, 'attempts', `${SHARD}.json`);
const AT = (position: number) => `"at":${position}`;
const DEATHS = new Map([[4 * SHARD + DEADLY, /at work when 2 workers ended/]]);

let quick: Reference;
let slow: Reference;
beforeAll(async () => {
  [quick, slow] = [await makeReference(QUICK), await makeReference(SLOW)];
}, 120_000);
tableAtEnd();

/** The same data set elsewhere, to be tampered with. */
function copied(place: Place, { inputs, ...rest }: Reference): Reference {
  const copy = join(place.folder, 'inputs', 'pictures');
  cpSync(inputs, copy, { recursive: true });
  return { ...rest, inputs: copy };
}

/** Damages every 50th image, each in another way; says what is to be said of each. */
function corrupt(inputs: string): Map<number, RegExp> {
  const picture = (k: number) => join(inputs, k < 60 ? 'a' : 'b', `${String(k).padStart(4, '0')}.png`);
  truncateSync(picture(0), 200);
  writeFileSync(picture(50), 'This is a text.\n');
  writeFileSync(picture(100), '');
  const packed = join(inputs, 'packed.npy');
  const bytes = readFileSync(packed);
  const length = 4 * 3 * 16 * 16;
  // The 30th of 80 in this file: a value that no picture has.
  bytes.writeFloatLE(Number.NaN, bytes.length - (80 - 30) * length + 40);
  writeFileSync(packed, bytes);
  return new Map([
    [0, /0000\.png/],
    [50, /0050\.png/],
    [100, /0100\.png/],
    [150, /packed\.npy\[30\]/],
  ]);
}

describe('images that are damaged, repeated or deadly', () => {
  faultTest('every 50th image is damaged', 'threads', async (place) => {
    const work = copied(place, quick);
    const why = corrupt(work.inputs);
    await place.trial(async () => {
      const store = place.newStore();
      const { code, stdout } = await place.local(work, store).end();
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ complete: true, failed: 4, images: 200 });
      expectSetAside(place, store, quick, why);
      // Once more changes nothing.
      const again = await place.local(work, store).end();
      expect(again.code).toBe(1);
      expect(JSON.parse(again.stdout)).toMatchObject({ complete: true, failed: 4, computed: 0 });
    }, 4);
  });

  faultTest('the same image twice', 'threads', async (place) => {
    const inputs = join(place.folder, 'pictures');
    mkdirSync(inputs);
    for (let k = 0; k < 6; k++) await writePicture(join(inputs, `${k}.png`), k, 3, 16);
    copyFileSync(join(inputs, '2.png'), join(inputs, '5.png'));
    await place.trial(async () => {
      const store = place.newStore();
      expectDone(await place.local({ ...quick, inputs }, store, ['--shard-images', '2']).end());
      const [twin, other, image] = [2, 4, 5].map((k) => imageBytes(store, k));
      expect(isSameImage(image, twin)).toBe(true);
      expect(isSameImage(image, other)).toBe(false);
      const hashes = metadata(store, 'hash');
      expect(hashes.slice(5 * 32)).toEqual(hashes.slice(2 * 32, 3 * 32));
      expect(metadata(store, 'source')).toHaveLength(6);
    });
  });

  faultTest('an image kills the driver again and again', 'threads', async (place) => {
    await place.trial(async () => {
      const store = place.newStore();
      let deaths = 0;
      let driver = place.local(slow, store);
      // At first nobody keeps book of the image, but of the shard alone.
      while (await signalAt(driver, BOOK(store), deaths === 0 ? {} : { text: AT(DEADLY) })) {
        expect(++deaths).toBeLessThan(4);
        await driver.end();
        driver = place.local(slow, store);
      }
      expect(deaths).toBe(3);
      const { code, stdout } = await driver.end();
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ complete: true, failed: 1 });
      expectSetAside(place, store, slow, DEATHS);
    }, 3);
  });

  faultTest('the driver is killed at an image twice that comes through between', 'threads', async (place) => {
    await place.trial(async () => {
      const store = place.newStore();
      const watch = place.watch(store);
      for (const text of ['', AT(DEADLY), AT(DEADLY + 1), AT(DEADLY), AT(DEADLY + 1)]) {
        const driver = place.local(slow, store);
        expect(await signalAt(driver, BOOK(store), { text }), text).toBe(true);
        await driver.end();
      }
      expectDone(await place.local(slow, store).end());
      place.expectSurvived(store, slow, watch);
    }, 5);
  });

  faultTest('signals end the driver at the same image, again and again', 'threads', async (place) => {
    await place.trial(async () => {
      const store = place.newStore();
      const watch = place.watch(store);
      for (const text of ['', AT(DEADLY), AT(DEADLY), AT(DEADLY)]) {
        const driver = place.local(slow, store);
        expect(await signalAt(driver, BOOK(store), { text, signal: 'TERM' }), text).toBe(true);
        expect((await driver.end(20)).code).toBe(143);
      }
      expectDone(await place.local(slow, store).end());
      place.expectSurvived(store, slow, watch);
    }, 4);
  });

  faultTest('a folder of inputs is away for 4 s', 'threads', async (place) => {
    const work = copied(place, quick);
    await place.trial(async () => {
      const store = place.newStore();
      const watch = place.watch(store);
      const driver = place.local(work, store);
      await until('a shard is done', () => doneShards(store).length > 0);
      renameSync(work.inputs, `${work.inputs}.away`);
      await sleep(4000);
      renameSync(`${work.inputs}.away`, work.inputs);
      expectDone(await driver.end());
      place.expectSurvived(store, quick, watch);
    });
  });

  faultTest(
    'a folder of inputs is away for good, and comes back for the next run',
    'threads',
    async (place) => {
      const work = copied(place, quick);
      await place.trial(async () => {
        const store = place.newStore();
        const watch = place.watch(store);
        const driver = place.local(work, store);
        await until('a shard is done', () => doneShards(store).length > 0);
        renameSync(work.inputs, `${work.inputs}.away`);
        const { code, stderr } = await driver.end();
        expect(code).toBe(1);
        expect(stderr).toMatch(
          /it does not exist .*attempts\); \d+ of 200 images are done: run the same again/,
        );
        renameSync(`${work.inputs}.away`, work.inputs);
        expectDone(await place.local(work, store).end());
        place.expectSurvived(store, quick, watch);
      });
    },
  );
});

describeWithRedis('images of a queue', () => {
  faultTest('every 50th image is damaged', 'queue', async (place) => {
    const work = copied(place, quick);
    const why = corrupt(work.inputs);
    await place.trial(async () => {
      await place.redis();
      const store = place.newStore();
      const [driver, worker] = [place.driver(work, store), place.worker()];
      const { code, stdout } = await driver.end();
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ complete: true, failed: 4, images: 200 });
      place.row.twice += reportedTwice([worker]);
      expectSetAside(place, store, quick, why);
    }, 4);
  });

  faultTest(
    'an image kills its worker again and again',
    'queue',
    async (place) => {
      await place.trial(async () => {
        await place.redis();
        const store = place.newStore();
        const driver = place.driver(slow, store);
        const workers: Running[] = [];
        let deaths = 0;
        for (;;) {
          const worker = place.worker();
          workers.push(worker);
          const death = signalAt(worker, BOOK(store), deaths === 0 ? {} : { text: AT(DEADLY) });
          await Promise.race([death, driver.ended]);
          if (driver.isOver) break;
          expect(await death).toBe(true);
          expect(++deaths).toBeLessThan(4);
        }
        expect(deaths).toBe(3);
        const { code, stdout } = await driver.end();
        expect(code).toBe(1);
        expect(JSON.parse(stdout)).toMatchObject({ complete: true, failed: 1 });
        place.row.twice += reportedTwice(workers);
        expectSetAside(place, store, slow, DEATHS);
      }, 3);
    },
    240_000,
  );

  mountTest("one worker's machine lacks the inputs", 'queue', async (place) => {
    await place.trial(async () => {
      await place.redis();
      const store = place.newStore();
      const watch = place.watch(store);
      const driver = place.driver(slow, store);
      // It sees nothing but an empty disk where the inputs should be.
      const hide = `mount -t tmpfs tmpfs '${slow.inputs}' && exec "$@"`;
      const lacking = place.worker({}, [], ['unshare', '-m', 'sh', '-c', hide, 'sh']);
      await until('it fails', () => /attempt 1: .*does not exist/.test(lacking.stderr));
      expect(readdirSync(slow.inputs)).toHaveLength(2);
      const worker = place.worker();
      expectDone(await driver.end());
      place.expectSurvived(store, slow, watch, { workers: [worker, lacking] });
    });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalDispatcher } from '../../src/dataset/local.ts';
import { openRunner } from '../../src/dataset/runner.ts';
import type { ShardEnd } from '../../src/dataset/types.ts';
import { attemptsBegun, type FakeSettings, fakeRunner } from './fake-runner.ts';

const RUN = { store: '/store', plan: 'p'.repeat(64) };

describe('shards done by threads of this process', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'seedspan-local-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const dispatcher = (fake: Partial<FakeSettings>, delay = 1) =>
    new LocalDispatcher(fakeRunner({ folder, size: 2, ...fake }), RUN, { attempts: 3, delay });

  async function endsOf(
    local: LocalDispatcher,
    shards: number[],
    notices: string[] = [],
  ): Promise<ShardEnd[]> {
    const ends: ShardEnd[] = [];
    for await (const end of local.dispatch(shards, { onNotice: (text) => notices.push(text) }))
      ends.push(end);
    return ends.sort((a, b) => a.shard - b.shard);
  }

  it('end once each; what may pass is tried again, and then given up', async () => {
    const notices: string[] = [];
    const local = dispatcher({ misbehaviour: { 1: { how: 'passing', upTo: 1 }, 3: { how: 'passing' } } });
    const ends = await endsOf(local, [0, 1, 2, 3, 4], notices);
    expect(ends.map(({ shard }) => shard)).toEqual([0, 1, 2, 3, 4]);
    expect(ends.filter((end) => 'error' in end)).toMatchObject([{ shard: 3, attempts: 3 }]);
    const attempts = (shard: number) =>
      attemptsBegun(folder)
        .filter((begun) => begun.shard === shard)
        .map(({ attempt }) => attempt);
    expect([attempts(0), attempts(1), attempts(3)]).toEqual([[1], [1, 2], [1, 2, 3]]);
    expect(notices).toHaveLength(3);
  });

  it('what none can mend ends the run', async () => {
    const local = dispatcher({ misbehaviour: { 1: { how: 'lasting' } } });
    await expect(endsOf(local, [0, 1, 2])).rejects.toThrow();
  });

  it('an abort between two attempts is told by its own reason', async () => {
    const local = dispatcher({ misbehaviour: { 0: { how: 'passing' } } }, 60_000);
    const controller = new AbortController();
    const reason = new Error('the lock was lost');
    const hooks = {
      signal: controller.signal,
      onNotice: () => void setImmediate(() => controller.abort(reason)),
    };
    await expect(local.dispatch([0], hooks).next()).rejects.toBe(reason);
  });
});

it('openRunner refuses what it does not know', async () => {
  await expect(openRunner({ threads: 2 } as object)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
  await expect(openRunner({ workers: 300 })).rejects.toMatchObject({
    code: 'INVALID_VALUE',
    message: 'openRunner: workers is 300, must be a whole number from 1 to 256 or "auto"',
  });
});

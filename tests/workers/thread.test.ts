import { expect, it } from 'vitest';
import type { PortHooks } from '../../src/threads/port.ts';
import { Thread, ThreadDeath } from '../../src/threads/thread.ts';

it('ends a worker that has failed, since those of the web live on', async () => {
  let hooks: PortHooks | undefined;
  let ended = 0;
  const thread = new Thread({
    launch(given) {
      hooks = given;
      return {
        post: () => {},
        end: async () => {
          ended++;
        },
      };
    },
    close: () => {},
  });
  const call = thread.call({ start: true });
  hooks?.onDeath(new Error('out of memory'));
  await expect(call).rejects.toThrow(new ThreadDeath('out of memory'));
  expect([thread.dead, ended]).toEqual([true, 1]);
  await expect(thread.call({ start: true })).rejects.toThrow('out of memory');
});

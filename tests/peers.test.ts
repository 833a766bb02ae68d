import { expect, test } from 'vitest';
import { loadPeer } from '../src/peers.ts';

test('a missing library: which, what for, and the command that installs it', async () => {
  const missing = () => import(/* @vite-ignore */ `no-such-${'package'}`);
  await expect(loadPeer('no-such-package', 'to read pictures', missing)).rejects.toMatchObject({
    name: 'SeedspanError',
    code: 'UNSUPPORTED',
    message: expect.stringMatching(/no-such-package, needed to read pictures,.*npm install no-such-package$/),
    details: { package: 'no-such-package' },
  });
});

test('one that is there is handed on', async () => {
  expect(await loadPeer('x', 'for this test', async () => 7)).toBe(7);
});

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openOutput, writeFileWhole } from '../../src/node/output.ts';

/** Set: files that are opened for writing take this many bytes in all, then the disk is full. */
const disk = vi.hoisted(() => ({ room: Infinity }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => {
      const file = await real.open(...args);
      const write = file.writeFile.bind(file);
      file.writeFile = async (data) => {
        const size = (data as Uint8Array | string).length;
        if (size > disk.room) {
          await write((data as Uint8Array | string).slice(0, disk.room));
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        }
        disk.room -= size;
        return write(data);
      };
      return file;
    },
  };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seedspan-output-'));
});
afterEach(() => {
  disk.room = Infinity;
  rmSync(folder, { recursive: true, force: true });
});

const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;
const host = hostname().replace(/[^A-Za-z0-9]/g, '');

describe('openOutput', () => {
  test('nothing is seen under the name until commit; then all is there and no temporary', async () => {
    const out = await openOutput(join(folder, 'run'));
    await out.write('run.json', '{}');
    await out.write('embedded/cat.png', Uint8Array.of(1, 2, 3));
    expect(existsSync(join(folder, 'run'))).toBe(false);
    await out.commit();
    expect(readdirSync(folder)).toEqual(['run']);
    expect(readFileSync(join(folder, 'run/run.json'), 'utf8')).toBe('{}');
    expect([...readFileSync(join(folder, 'run/embedded/cat.png'))]).toEqual([1, 2, 3]);
    await out.discard();
    expect(readdirSync(folder)).toEqual(['run']);
  });

  test('discard leaves nothing', async () => {
    const out = await openOutput(join(folder, 'run'));
    await out.write('run.json', '{}');
    await out.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('an existing folder, even an empty one, is refused without force', async () => {
    mkdirSync(join(folder, 'run'));
    await expect(openOutput(join(folder, 'run'))).rejects.toMatchObject({ code: 'EXISTS' });
    expect(readdirSync(folder)).toEqual(['run']);
  });

  test('with force the old one stays until the new one is whole', async () => {
    mkdirSync(join(folder, 'run'));
    writeFileSync(join(folder, 'run/run.json'), 'old');
    writeFileSync(join(folder, 'run/left.txt'), 'old');
    const out = await openOutput(join(folder, 'run'), { force: true, marker: 'run.json' });
    await out.write('run.json', 'new');
    expect(readFileSync(join(folder, 'run/run.json'), 'utf8')).toBe('old');
    await out.commit();
    expect(readdirSync(folder)).toEqual(['run']);
    expect(readdirSync(join(folder, 'run'))).toEqual(['run.json']);
    expect(readFileSync(join(folder, 'run/run.json'), 'utf8')).toBe('new');
  });

  test('force does not replace a folder that is no earlier output, nor a file', async () => {
    mkdirSync(join(folder, 'thesis'));
    writeFileSync(join(folder, 'thesis/chapter1.tex'), 'years of work');
    writeFileSync(join(folder, 'file'), 'x');
    const options = { force: true, marker: 'run.json' };
    await expect(openOutput(join(folder, 'thesis'), options)).rejects.toMatchObject({ code: 'EXISTS' });
    await expect(openOutput(join(folder, 'file'), options)).rejects.toMatchObject({ code: 'EXISTS' });
    expect(readdirSync(folder).sort()).toEqual(['file', 'thesis']);
  });

  test('what appears under the name meanwhile is not overwritten', async () => {
    const out = await openOutput(join(folder, 'run'));
    await out.write('run.json', '{}');
    mkdirSync(join(folder, 'run'));
    await expect(out.commit()).rejects.toMatchObject({ code: 'EXISTS' });
    await out.discard();
    expect(readdirSync(folder)).toEqual(['run']);
  });

  test('a link to a folder stays a link', async () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    const out = await openOutput(join(folder, 'link'), { force: true, marker: 'run.json' });
    await out.write('run.json', '{}');
    await out.commit();
    expect(readdirSync(folder).sort()).toEqual(['link', 'real']);
    expect(readdirSync(join(folder, 'real'))).toEqual(['run.json']);
  });

  test('a full disk: clear error, and after discard nothing is left and the old output is whole', async () => {
    mkdirSync(join(folder, 'run'));
    writeFileSync(join(folder, 'run/run.json'), 'old');
    const out = await openOutput(join(folder, 'run'), { force: true, marker: 'run.json' });
    disk.room = 10;
    await out.write('a.txt', '12345678');
    await expect(out.write('scores.npy', new Uint8Array(100))).rejects.toMatchObject({
      code: 'IO',
      message: `cannot write ${join(out.path, 'scores.npy')}: no space is left on the device`,
    });
    await out.discard();
    expect(readdirSync(folder)).toEqual(['run']);
    expect(readFileSync(join(folder, 'run/run.json'), 'utf8')).toBe('old');
  });

  test('a folder that is missing, or a file in its place', async () => {
    writeFileSync(join(folder, 'file'), 'x');
    for (const path of ['missing/run', 'file/run']) {
      await expect(openOutput(join(folder, path))).rejects.toMatchObject({ code: 'IO' });
    }
  });

  test('a folder that is not writable', async () => {
    chmodSync(folder, 0o555);
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65534); // permissions do not bind the superuser
    try {
      await expect(openOutput(join(folder, 'run'))).rejects.toMatchObject({
        code: 'IO',
        message: expect.stringContaining('permission is denied'),
      });
    } finally {
      if (root) process.seteuid?.(0);
      chmodSync(folder, 0o755);
    }
  });

  test('a path may not lead out of the folder', async () => {
    const out = await openOutput(join(folder, 'run'));
    for (const path of ['../x', '/etc/x', '.', 'a/../../x']) {
      await expect(out.write(path, '')).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    }
    await out.discard();
  });

  test('leftovers of killed processes go; those of living ones and other targets stay', async () => {
    const dead = deadPid();
    const gone = [`.run.new-${host}-${dead}-00000000`, `.run.new-${host}-${dead}-0000000a`];
    const kept = [
      `.run.new-${host}-${process.pid}-0000000b`,
      `.run.new-elsewhere-${dead}-0000000c`,
      `.other.new-${host}-${dead}-0000000d`,
    ];
    for (const name of [...gone, ...kept]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, gone[0], 'half'), 'x');
    await (await openOutput(join(folder, 'run'))).discard();
    expect(readdirSync(folder).sort()).toEqual([...kept].sort());
  });

  test('killed between the two renames: the old output is put back', async () => {
    mkdirSync(join(folder, `.run.old-${host}-${deadPid()}-00000000`));
    writeFileSync(join(folder, readdirSync(folder)[0], 'run.json'), 'old');
    await expect(openOutput(join(folder, 'run'))).rejects.toMatchObject({ code: 'EXISTS' });
    expect(readFileSync(join(folder, 'run/run.json'), 'utf8')).toBe('old');
  });

  test('unknown options are refused', async () => {
    await expect(openOutput(join(folder, 'run'), { overwrite: true } as object)).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
    });
  });
});

describe('writeFileWhole', () => {
  test('writes, refuses to overwrite, overwrites with force', async () => {
    const path = join(folder, 'x.mtx');
    await writeFileWhole(path, 'one');
    await expect(writeFileWhole(path, 'two')).rejects.toMatchObject({ code: 'EXISTS' });
    expect(readFileSync(path, 'utf8')).toBe('one');
    await writeFileWhole(path, 'two', { force: true });
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(folder)).toEqual(['x.mtx']);
  });

  test('a full disk leaves the old file and nothing else', async () => {
    const path = join(folder, 'x.mtx');
    await writeFileWhole(path, 'one');
    disk.room = 2;
    await expect(writeFileWhole(path, 'three', { force: true })).rejects.toMatchObject({ code: 'IO' });
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(readdirSync(folder)).toEqual(['x.mtx']);
  });

  test('a folder is not replaced by a file', async () => {
    mkdirSync(join(folder, 'x'));
    await expect(writeFileWhole(join(folder, 'x'), 'a', { force: true })).rejects.toMatchObject({
      code: 'EXISTS',
    });
    expect(readdirSync(folder)).toEqual(['x']);
  });
});

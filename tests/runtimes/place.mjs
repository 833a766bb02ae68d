// A project that has installed the packed package, in a temporary folder.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Packs the build, unpacks it as an install would, and puts the suite beside it. */
export function makePlace() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'seedspan-runtimes-')));
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    stdio: 'pipe',
  });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', modules]);
  renameSync(join(modules, 'package'), join(modules, 'seedspan'));
  const manifest = { name: 'consumer', private: true, type: 'module', dependencies: { seedspan: '*' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  for (const name of ['suite.mjs', 'page.mjs', 'page-external.mjs']) {
    cpSync(fileURLToPath(new URL(name, import.meta.url)), join(folder, name));
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

// For the image: makes dependencies of the optional peers that data sets use, so that `npm prune` leaves them as they are.
import { readFileSync, writeFileSync } from 'node:fs';

const NEEDED = [
  '@bull-board/api',
  '@bull-board/hono',
  '@hono/node-server',
  'bullmq',
  'hono',
  'ioredis',
  'numcodecs',
  'sharp',
  'tinyglobby',
  'zarrita',
];

const path = new URL('../package.json', import.meta.url);
const manifest = JSON.parse(readFileSync(path, 'utf8'));
for (const name of NEEDED) {
  const version = manifest.devDependencies[name] ?? manifest.dependencies[name];
  if (version === undefined) throw new Error(`${name} is no dependency of package.json`);
  delete manifest.devDependencies[name];
  manifest.dependencies[name] = version;
}
writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);

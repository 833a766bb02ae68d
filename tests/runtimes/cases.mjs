// Every runtime and bundler that the package is run in. A case says what it needs, where that is missing, and returns
// what it found: of a suite the digests, else `note`, in a word.
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { browsers, findProgram, visit } from './browsers.mjs';
import { bundlers, isInstalled } from './bundlers.mjs';
import { checkEdge } from './edge.mjs';
import { bundleWorker, startWorker } from './worker-run.mjs';

const require = createRequire(import.meta.url);
const OWN_PACKAGES = 'npm install --prefix tests/runtimes';
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const CSP_WITHOUT_WASM = "default-src 'none'; script-src 'self'; connect-src 'self'";

const assert = (truth, message) => {
  if (!truth) throw new Error(message);
};

const ESM = `
import * as core from 'seedspan';
import * as diffusion from 'seedspan/diffusion';
import * as formats from 'seedspan/formats';
import { runSuite } from './suite.mjs';
console.log(JSON.stringify(await runSuite({ core, diffusion, formats })));
`;
const COMMONJS = `
const core = require('seedspan');
const diffusion = require('seedspan/diffusion');
const formats = require('seedspan/formats');
import('./suite.mjs').then(async ({ runSuite }) => {
  console.log(JSON.stringify(await runSuite({ core, diffusion, formats })));
});
`;

/** Runs the suite as a program in the folder. */
async function command(place, program, args, file, code) {
  writeFileSync(join(place, file), code);
  const env = { ...process.env, DO_NOT_TRACK: '1', DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' };
  const options = { cwd: place, env, timeout: 60_000, maxBuffer: 2 ** 26 };
  const { stdout } = await promisify(execFile)(program, [...args, join(place, file)], options);
  return JSON.parse(stdout);
}

/** A program on PATH, or from this folder's packages. */
function findBinary(name) {
  const own = fileURLToPath(new URL(`node_modules/.bin/${name}`, import.meta.url));
  return existsSync(own) ? own : findProgram(name);
}

const printed = (program, ...args) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe' }).trim().split('\n')[0];
const packageVersion = (name) =>
  `${name} ${JSON.parse(readFileSync(require.resolve(`${name}/package.json`))).version}`;

function programCases() {
  const program = (name, args) => ({
    missing: () => (findBinary(name) === undefined ? OWN_PACKAGES : undefined),
    version: () => `${name} ${printed(findBinary(name), '--version').match(/\d[\d.]*/)[0]}`,
    run: ({ place }) => command(place, findBinary(name), args, 'run.mjs', ESM),
  });
  const node = () => `Node ${process.version}`;
  return {
    'Node, ES modules': {
      version: node,
      run: ({ place }) => command(place, process.execPath, [], 'run.mjs', ESM),
    },
    'Node, CommonJS': {
      version: node,
      run: ({ place }) => command(place, process.execPath, [], 'run.cjs', COMMONJS),
    },
    'Node, relaxed SIMD': {
      version: node,
      run: ({ place }) =>
        command(place, process.execPath, ['--experimental-wasm-relaxed-simd'], 'run.mjs', ESM),
    },
    Deno: program('deno', ['run', '--allow-read', '--node-modules-dir=manual', '--no-lock', '--quiet']),
    Bun: program('bun', ['run']),
    workerd: {
      missing: () => (isInstalled('miniflare') ? undefined : OWN_PACKAGES),
      version: () => `${packageVersion('workerd')}, ${packageVersion('miniflare')}`,
      async run({ place }) {
        cpSync(fileURLToPath(new URL('worker.mjs', import.meta.url)), join(place, 'worker-entry.mjs'));
        const bundle = await bundleWorker(join(place, 'worker-entry.mjs'), join(place, 'worker'));
        const worker = await startWorker(bundle);
        try {
          const response = await worker.fetch('http://localhost/');
          const text = await response.text();
          assert(response.ok, `the Worker answered with ${response.status}: ${text}`);
          return JSON.parse(text);
        } finally {
          await worker.dispose();
        }
      },
    },
    'workerd, examples/edge': {
      missing: () => (isInstalled('miniflare') ? undefined : OWN_PACKAGES),
      version: () => packageVersion('workerd'),
      async run({ place }) {
        const example = join(place, 'edge');
        cpSync(fileURLToPath(new URL('../../examples/edge', import.meta.url)), example, { recursive: true });
        const bundle = await bundleWorker(join(example, 'worker.js'), join(place, 'edge-worker'));
        return { note: `${await checkEdge(bundle)} requests, good and bad` };
      },
    },
  };
}

/** The page, bundled once by each bundler that is asked for. */
function bundled(context, bundler) {
  context.pages ??= {};
  context.pages[bundler] ??= (async () => {
    const source = join(context.place, `source-${bundler}`);
    mkdirSync(source, { recursive: true });
    for (const name of ['page.mjs', 'suite.mjs']) cpSync(join(context.place, name), join(source, name));
    const folder = join(context.place, `page-${bundler}`);
    await bundlers[bundler](join(source, 'page.mjs'), folder);
    return folder;
  })();
  return context.pages[bundler];
}

async function bundledExternal(context) {
  const folder = join(context.place, 'page-external');
  await bundlers.esbuild(join(context.place, 'page-external.mjs'), folder);
  cpSync(join(context.place, 'node_modules/seedspan/build/kernel/simd.wasm'), join(folder, 'simd.wasm'));
  return folder;
}

async function refused(visiting) {
  const error = await visiting.then(
    () => undefined,
    (caught) => caught,
  );
  assert(error !== undefined, 'the page ran, though its policy forbids WebAssembly');
  const told = error.code === 'UNSUPPORTED' && /script-src.*'wasm-unsafe-eval'/.test(error.message);
  assert(told, `the message does not name the directive: ${error.code} ${error.message}`);
  return { note: 'message names the directive' };
}

function browserCases() {
  const cases = {};
  for (const [name, browser] of Object.entries(browsers)) {
    const base = {
      missing: () => (browser.find() === undefined ? browser.missing : undefined),
      version: () => browser.version(browser.find()),
    };
    const open = async (folder, options) => visit(browser, browser.find(), folder, options);
    cases[name] = {
      ...base,
      run: async (context) => open(await bundled(context, 'esbuild'), { query: '?run=suite', csp: CSP }),
    };
    cases[`${name}, policy without wasm-unsafe-eval`] = {
      ...base,
      run: async (context) =>
        refused(open(await bundled(context, 'esbuild'), { query: '?run=suite', csp: CSP_WITHOUT_WASM })),
    };
    cases[`${name}, kernel as a file`] = {
      ...base,
      async run(context) {
        const folder = await bundledExternal(context);
        const { digests, codes } = await open(folder, { csp: CSP });
        const expected = context.reference.digests['bicgstab, ilu0'];
        assert(
          digests.every((it) => it === expected),
          `digests ${digests}, must be ${expected}`,
        );
        assert(String(codes) === 'IO,BAD_FORMAT', `codes ${codes}`);
        const bundle = readFileSync(join(folder, 'page.js'), 'utf8');
        assert(!/AGFzbQ|DecompressionStream/.test(bundle), 'the bundle has a kernel');
        return { note: 'URL, Response, bytes, module' };
      },
    };
  }
  const chromium = cases.Chromium;
  const inChromium = async (folder, query) =>
    visit(browsers.Chromium, browsers.Chromium.find(), folder, { query, csp: CSP });
  cases['Chromium, without SIMD'] = {
    ...chromium,
    async run(context) {
      const { build } = await inChromium(await bundled(context, 'esbuild'), '?run=without-simd');
      assert(build === 'scalar', `the build is ${build}`);
      return { note: 'takes the scalar build' };
    },
  };
  for (const name of Object.keys(bundlers).filter((bundler) => bundler !== 'esbuild')) {
    cases[`Chromium, bundled by ${name}`] = {
      missing: () => (isInstalled(name) ? chromium.missing() : OWN_PACKAGES),
      version: () => packageVersion(name),
      run: async (context) => inChromium(await bundled(context, name), '?run=suite'),
    };
  }
  return cases;
}

export const cases = { ...programCases(), ...browserCases() };

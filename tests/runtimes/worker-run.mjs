// workerd by miniflare: a Worker bundled as Cloudflare's tools do it.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/** Bundles a Worker, its `.wasm` files beside it. Returns the bundle's path. */
export async function bundleWorker(entry, folder) {
  await build({
    entryPoints: [entry],
    outfile: join(folder, 'worker.mjs'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'],
    loader: { '.wasm': 'copy' },
    logLevel: 'warning',
  });
  return join(folder, 'worker.mjs');
}

/** Starts workerd with a bundle; `fetch` asks it, `dispose` ends it. */
export async function startWorker(scriptPath, settings = {}) {
  const { Log, LogLevel, Miniflare } = await import('miniflare');
  const folder = dirname(scriptPath);
  const rest = readdirSync(folder).filter((name) => name.endsWith('.wasm'));
  const worker = new Miniflare({
    // Named one by one, as Cloudflare's tools do: miniflare itself looks for them in the code, and stops at an
    // `import()` of a name that is put together.
    modulesRoot: folder,
    modules: [
      { type: 'ESModule', path: scriptPath },
      ...rest.map((name) => ({ type: 'CompiledWasm', path: join(folder, name) })),
    ],
    compatibilityDate: '2026-01-01',
    host: '127.0.0.1',
    cf: false,
    log: new Log(LogLevel.ERROR),
    ...settings,
  });
  return {
    ready: worker.ready,
    fetch: (...request) => worker.dispatchFetch(...request),
    dispose: () => worker.dispose(),
  };
}

// The bundlers, each without settings beyond where things are. All but esbuild come from this folder's own packages.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { build as esbuild } from 'esbuild';

const require = createRequire(import.meta.url);

/** Whether a package of this folder is installed. */
export function isInstalled(name) {
  try {
    require.resolve(`${name}/package.json`);
    return true;
  } catch (error) {
    return error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}

const html = (script) =>
  `<!doctype html><title>seedspan</title><script type="module" src="./${script}"></script>`;

function writePage(folder, script) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), html(script));
}

/** Each bundles the module `entry` for the browser into `folder`, with a page that loads it. */
export const bundlers = {
  async esbuild(entry, folder) {
    const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', logLevel: 'warning' };
    await esbuild({ entryPoints: [entry], outfile: join(folder, 'page.js'), ...options });
    writePage(folder, 'page.js');
  },

  async rollup(entry, folder) {
    const { rollup } = await import('rollup');
    const { nodeResolve } = await import('@rollup/plugin-node-resolve');
    const plugins = [nodeResolve({ browser: true })];
    const bundle = await rollup({ input: entry, plugins, external: (id) => id.startsWith('@tensorflow/') });
    await bundle.write({ dir: folder, entryFileNames: 'page.js', format: 'es' });
    await bundle.close();
    writePage(folder, 'page.js');
  },

  async webpack(entry, folder) {
    const { default: webpack } = await import('webpack');
    await new Promise((resolve, reject) => {
      const output = { path: folder, filename: 'page.js', publicPath: 'auto' };
      const compiler = webpack({ mode: 'production', entry, output, performance: false });
      compiler.run((error, stats) => {
        const problem =
          error ?? (stats.hasErrors() ? new Error(stats.toString({ all: false, errors: true })) : null);
        compiler.close(() => (problem ? reject(problem) : resolve()));
      });
    });
    writePage(folder, 'page.js');
  },

  async vite(entry, folder) {
    const { build } = await import('vite');
    const root = dirname(entry);
    writePage(root, basename(entry));
    await build({
      root,
      configFile: false,
      logLevel: 'error',
      base: './',
      build: { outDir: folder, emptyOutDir: true },
    });
  },
};

import { readFileSync } from 'node:fs';
import { buildSync } from 'esbuild';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    {
      // The build inlines the kernel with esbuild's binary loader; this is the same for tests of the sources.
      name: 'wasm-as-bytes',
      enforce: 'pre',
      load(id) {
        if (!/\.wasm(\.z)?$/.test(id)) return null;
        const base64 = readFileSync(id).toString('base64');
        return `export default Uint8Array.from(atob('${base64}'), (c) => c.charCodeAt(0));`;
      },
    },
    {
      // The build inlines the workers' script as text; tests of the sources run the sources.
      name: 'worker-as-text',
      enforce: 'pre',
      load(id) {
        if (!id.endsWith('.worker.js')) return null;
        const { outputFiles } = buildSync({
          entryPoints: ['src/worker/main.ts'],
          bundle: true,
          write: false,
          format: 'iife',
          platform: 'neutral',
          loader: { '.wasm': 'empty' },
        });
        return `export default ${JSON.stringify(outputFiles[0].text)};`;
      },
    },
  ],
  test: {
    include: ['tests/**/*.test.ts'],
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});

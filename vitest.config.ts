import { readFileSync } from 'node:fs';
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
  ],
  test: {
    include: ['tests/**/*.test.ts'],
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});

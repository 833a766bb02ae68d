import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findLibrary, findProgram } from './browsers.mjs';
import { testPage } from './page.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const playwright = await findLibrary('playwright-core');
const executablePath = findProgram('chromium', 'chromium-browser', 'google-chrome');
const missing = [
  ...(playwright === undefined ? ['playwright-core (npm install in tests/runtimes, or NODE_PATH)'] : []),
  ...(executablePath === undefined ? ['chromium on the PATH'] : []),
];
const name = `the page works in Chromium${missing.length > 0 ? `; skipped, for want of: ${missing.join(', ')}` : ''}`;

it.skipIf(missing.length > 0)(
  name,
  async () => {
    execFileSync(process.execPath, ['web/build.mjs'], { cwd: root, stdio: 'pipe' });
    const results = await testPage({
      playwright,
      executablePath: executablePath!,
      folder: `${root}/build/web`,
    });
    expect(results.length).toBeGreaterThan(15);
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
  },
  600_000,
);

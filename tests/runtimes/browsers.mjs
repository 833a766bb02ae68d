// The three browser engines, each started with a page's address alone, in a profile that is thrown away.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from './serve.mjs';

/** The first of these programs that PATH has. */
export function findProgram(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(':')) {
      if (folder !== '' && existsSync(join(folder, name))) return join(folder, name);
    }
  }
  return undefined;
}

/** Debian keeps it out of PATH. */
function findMiniBrowser() {
  const found = findProgram('MiniBrowser');
  if (found !== undefined) return found;
  for (const library of ['/usr/lib', '/usr/libexec'].filter(existsSync)) {
    for (const machine of ['.', ...readdirSync(library).filter((name) => name.endsWith('-linux-gnu'))]) {
      const place = join(library, machine);
      for (const name of readdirSync(place).filter((entry) => entry.startsWith('webkit2gtk-'))) {
        if (existsSync(join(place, name, 'MiniBrowser'))) return join(place, name, 'MiniBrowser');
      }
    }
  }
  return undefined;
}

/** A program in a group of its own, so that it goes with all its children. */
function start(program, args, options = {}) {
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    ...options,
  });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  const stop = async () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await ended;
  };
  return { child, ended, stop };
}

/** A display without a screen; `name` is what DISPLAY has to be. */
async function startDisplay() {
  const display = start(findProgram('Xvfb'), [
    '-displayfd',
    '3',
    '-screen',
    '0',
    '1280x800x24',
    '-nolisten',
    'tcp',
  ]);
  let number = '';
  for await (const chunk of display.child.stdio[3]) {
    number += chunk;
    if (number.includes('\n')) break;
  }
  return { name: `:${number.trim()}`, stop: display.stop };
}

/** Name and number, without what a distribution adds. */
const version = (program, env = process.env) =>
  execFileSync(program, ['--version'], { encoding: 'utf8', stdio: 'pipe', env }).match(/^(.*?[\d.]+\w*)/)[1];

const QUIET_CHROMIUM =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage'.split(
    ' ',
  );

/** `missing`: how to get it, where it is not there. `start`: opens a page, returns how to stop. */
export const browsers = {
  Chromium: {
    find: () => findProgram('chromium', 'chromium-browser', 'google-chrome'),
    missing: 'Debian: apt-get install chromium',
    version,
    start: (program, url, profile) => start(program, [...QUIET_CHROMIUM, `--user-data-dir=${profile}`, url]),
  },
  Firefox: {
    find: () => findProgram('firefox-esr', 'firefox'),
    missing: 'Debian: apt-get install firefox-esr',
    version,
    start: (program, url, profile) =>
      start(program, ['--headless', '--no-remote', '--profile', profile, url], {
        env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
      }),
  },
  WebKit: {
    find: () => findProgram('Xvfb') && findMiniBrowser(),
    missing: 'Debian: apt-get install webkit2gtk-driver xvfb',
    // It says it to a display alone.
    async version(program) {
      const display = await startDisplay();
      try {
        return version(program, { ...process.env, DISPLAY: display.name });
      } finally {
        await display.stop();
      }
    },
    async start(program, url, profile) {
      const display = await startDisplay();
      const env = { ...process.env, DISPLAY: display.name, HOME: profile, XDG_CACHE_HOME: profile };
      const browser = start(program, ['--private', url], { env });
      return {
        ended: browser.ended,
        stop: async () => {
          await browser.stop();
          await display.stop();
        },
      };
    },
  },
};

/**
 * Opens a page of a folder, and waits for what it sends back.
 *
 * @returns the `result`
 * @throws what the page says went wrong, as an Error with its `code`; or that nothing came within a minute
 */
export async function visit(browser, program, folder, { query = '', csp } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'seedspan-browser-'));
  const { url, outcome, close } = await serve(folder, csp);
  let running;
  let timer;
  try {
    running = await browser.start(program, `${url}${query}`, profile);
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('the page sent nothing within 60 s')), 60_000);
    });
    const gone = running.ended.then(() => Promise.reject(new Error('the browser ended by itself')));
    const { result, error } = await Promise.race([outcome, late, gone]);
    if (error !== undefined) throw Object.assign(new Error(error.message), error);
    return result;
  } finally {
    clearTimeout(timer);
    await running?.stop();
    await close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

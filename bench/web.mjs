// Frame rate of the page: 100,000 points on their way, in Chromium and Firefox, by each way of drawing. The page's own
// counter is read at the end of a run: frames between the first and the last, over the time between them, as
// requestAnimationFrame gives it; the sampler's time a step is taken in the worker, that of drawing to the last pixel.
// Writes bench/results/web.md and web.json.
//   npm run bench:web            needs puppeteer-core (24.x) in tests/runtimes or on NODE_PATH, and browsers on the PATH
//   npm run bench:web -- --show  with windows, where there is a screen

import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findLibrary, findProgram } from '../tests/web/browsers.mjs';
import { serve } from '../web/serve.mjs';

const POINTS = 100_000;
const FRAMES = 480;
const ROUNDS = 3;
const DRAWINGS = ['auto', 'webgl', 'canvas'];
const BROWSERS = [
  {
    browser: 'chrome',
    name: 'Chromium',
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ],
  },
  { browser: 'firefox', name: 'Firefox', programs: ['firefox-esr', 'firefox'], args: [] },
];

const { values } = parseArgs({ options: { show: { type: 'boolean', default: false } } });
const puppeteer = await findLibrary('puppeteer-core');
if (puppeteer === undefined) {
  console.error('bench:web needs puppeteer-core 24: npm install in tests/runtimes, or NODE_PATH.');
  process.exit(1);
}

const site = await serve(fileURLToPath(new URL('../build/web', import.meta.url)));
const rows = [];
for (const { browser: kind, name, programs, args } of BROWSERS) {
  const executablePath = findProgram(...programs);
  if (executablePath === undefined) {
    console.error(`${name} is not on the PATH, and is left out.`);
    continue;
  }
  const browser = await puppeteer.launch({ browser: kind, executablePath, headless: !values.show, args });
  try {
    const version = (await browser.version()).replace(/^\w+\//, '');
    for (const draw of DRAWINGS) {
      const runs = [];
      for (let round = 0; round < ROUNDS; round++) runs.push(await run(browser, draw));
      runs.sort((a, b) => a.rate - b.rate);
      const median = runs[ROUNDS >> 1];
      const range = `${runs[0].rate} to ${runs[ROUNDS - 1].rate}`;
      rows.push([`${name} ${version}`, draw, median.by, median.rate, range, median.sampler, median.drawing]);
      console.error(rows.at(-1).join(', '));
    }
  } finally {
    await browser.close();
  }
}
await site.close();

const HEADS = [
  'browser',
  'asked for',
  'drawn by',
  'frames/s',
  'range',
  'sampler, a step',
  'drawing, a frame',
];
const notes = [
  `${POINTS} points, ${FRAMES} steps (Heun), 64 x 64 cells, window 1280 x 900; medians of ${ROUNDS} runs.`,
  `${cpus()[0].model}, ${cpus().length} threads, load ${loadavg()[0].toFixed(1)}; ${values.show ? 'windows' : 'headless, so WebGL is drawn by the processor, or missing'}.`,
  'frames/s: all frames of a run but the first, over the time from the first to the last, by requestAnimationFrame, which gives 60 at most. The times are medians within a run, in the worker and to the last pixel; browsers round them to 0.1 or 1 ms.',
];
const table = [HEADS, HEADS.map((_, k) => (k < 3 ? '---' : '---:')), ...rows].map(
  (row) => `| ${row.join(' | ')} |`,
);
const text = [
  '# web',
  '',
  `\`npm run bench:web\`, ${new Date().toISOString().slice(0, 10)}`,
  '',
  ...notes.map((note) => `- ${note}`),
  '',
  ...table,
  '',
].join('\n');
console.log(text);
const results = new URL('results/', import.meta.url);
const runs = rows.map((row) => Object.fromEntries(HEADS.map((head, k) => [head, row[k]])));
writeFileSync(new URL('web.md', results), text);
writeFileSync(
  new URL('web.json', results),
  `${JSON.stringify({ when: new Date().toISOString(), notes, runs }, null, 2)}\n`,
);

async function run(browser, draw) {
  const page = await browser.newPage();
  try {
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(`${site.url}#points=${POINTS}&frames=${FRAMES}&draw=${draw}`);
    await page.click('#run');
    await page.waitForSelector('#play:not(:disabled)', { visible: true, timeout: 60_000 });
    await page.click('#play');
    await page.waitForFunction(() => document.getElementById('travel').value === 1, {
      polling: 500,
      timeout: 300_000,
    });
    const text = (id) => page.$eval(`#${id}`, (element) => element.textContent);
    return {
      by: await text('drawn-by'),
      rate: Number(await text('frame-rate')),
      sampler: await text('sampler-time'),
      drawing: await text('drawing-time'),
    };
  } finally {
    await page.close();
  }
}

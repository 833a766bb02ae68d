// The page in a real browser. Takes playwright-core and the browser's path, so that whoever has them can run it:
//   const results = await testPage({ playwright, executablePath, folder: 'build/web' });

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { POLICY, serve } from '../../web/serve.mjs';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A case: gets a fresh page on the site, and throws where something is not as it should be. */
const CASES = {
  async 'loads below any path, from its own origin alone, without a complaint'({ page, url, heard }) {
    await computed(page);
    equal(heard.complaints, []);
    equal(
      heard.requests.filter((request) => !request.startsWith(url) && !/^(data|blob):/.test(request)),
      [],
    );
    const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
    equal(policy, POLICY);
    equal(await page.evaluate(() => [localStorage.length, document.cookie]), [0, '']);
  },

  async 'shows log density and score, by pointer and by keyboard'({ page }) {
    await computed(page);
    const map = page.locator('#arrows');
    await map.hover({ position: { x: 5, y: 5 } });
    const reading = page.locator('#reading');
    match(await reading.innerText(), /Row 0, column 0\nlog density −?[\d.]+\nscore .+ down, .+ right/);
    await map.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Shift+ArrowRight');
    match(await reading.innerText(), /Row 1, column 8\n/);
    match(await page.locator('#announcer').innerText(), /Row 1, column 8/);
    await page.keyboard.press('Escape');
    match(await reading.innerText(), /^Point at the map/);
    const before = await pixels(page, '#field');
    await page.locator('#time').focus();
    await page.keyboard.press('End');
    match(await page.locator('#time-text').innerText(), /^t = 1, 21 of 21$/);
    truth((await pixels(page, '#field')) !== before, 'the map changes with time');
    await page.selectOption('#quantity', 'score');
    match(await map.getAttribute('aria-label'), /^Length of the score at t = 1/);
  },

  async 'moves points to the end, drawn by WebGL 2 and by Canvas 2D'({ page }) {
    await page.selectOption('#frames', '60', { force: true });
    await computed(page);
    for (const [draw, name] of [
      ['canvas', 'Canvas 2D'],
      ['webgl', 'WebGL 2'],
    ]) {
      await page.selectOption('#points', '10000');
      await page.selectOption('#draw', draw);
      await page.waitForFunction(
        (wanted) => document.getElementById('drawn-by').textContent === wanted,
        name,
      );
      const start = await darkShares(page);
      await page.click('#play');
      await arrived(page);
      match(await page.locator('#travel-text').innerText(), /^step 60 of 60$/);
      const end = await darkShares(page);
      // The boats' sky is light, the harbour below it dark; noise is even.
      truth(Math.abs(start.top - start.bottom) < 0.05, `${name}: even at first, ${JSON.stringify(start)}`);
      truth(end.bottom > 2 * end.top, `${name}: the picture at the end, ${JSON.stringify(end)}`);
    }
  },

  async 'steps one by one, and does not move by itself'({ page }) {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await computed(page);
    await page.waitForFunction(() => document.getElementById('travel-text').textContent.startsWith('step 0'));
    await page.waitForTimeout(300);
    match(await page.locator('#travel-text').innerText(), /^step 0 of 240$/);
    await page.locator('#step').focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() =>
      document.getElementById('travel-text').textContent.startsWith('step 1 '),
    );
    match(await page.locator('#announcer').innerText(), /^step 1 of 240$/);
  },

  async 'pauses while the tab is hidden, and goes on'({ page }) {
    await computed(page);
    await page.click('#play');
    await page.waitForFunction(() => document.getElementById('travel').value > 0);
    await setHidden(page, true);
    await page.waitForTimeout(300);
    const stopped = await page.locator('#travel-text').innerText();
    match(await page.locator('#play').innerText(), /^Play$/);
    await page.waitForTimeout(500);
    equal(await page.locator('#travel-text').innerText(), stopped);
    await setHidden(page, false);
    match(await page.locator('#play').innerText(), /^Pause$/);
    await arrived(page);
  },

  async 'measures the ways of solving, and can be stopped'({ page }) {
    await computed(page);
    await page.click('#measure');
    await page.waitForFunction(() => document.querySelectorAll('#costs-table tbody tr').length >= 1);
    await page.click('#stop-measuring');
    await page.waitForFunction(() => document.getElementById('costs-text').textContent === 'Cancelled.');
    await page.click('#measure');
    await page.waitForFunction(
      () =>
        document.getElementById('stop-measuring').hidden &&
        document.querySelectorAll('#costs-table tbody tr').length === 9,
      null,
      { timeout: 60_000 },
    );
    const charts = await page.locator('#bars svg, #curves svg').count();
    truth(charts >= 2, 'a bar chart and curves');
    truth(
      (await page.locator('#costs-table', { hasText: 'converged' }).count()) === 1,
      'ways that converged',
    );
  },

  async 'trains both methods by the same clock, and can be stopped'({ page, heard }) {
    await page.selectOption('#seconds', '10');
    truth(!heard.requests.some((request) => request.includes('tfjs')), 'nothing of it is loaded before');
    await page.click('#train');
    await page.waitForFunction(
      () => / in \d+\.\d s.* in \d+\.\d s/.test(document.getElementById('training-text').textContent),
      null,
      { timeout: 120_000 },
    );
    const text = await page.locator('#training-text').innerText();
    const [first, second] = [...text.matchAll(/ in (\d+\.\d) s/g)].map(([, seconds]) => Number(seconds));
    truth(Math.min(first, second) >= 10 && Math.abs(first - second) < 2, `as long, ${text}`);
    const likeness = (id) => page.locator(`#training-${id} small`).innerText();
    for (const id of ['noisy', 'blurred', 'score-embedding', 'DDPM'])
      match(await likeness(id), /^SSIM −?-?0\.\d{3}, \d/);
    truth((await page.locator('#losses svg path').count()) > 0, 'curves of the losses');
    await page.click('#train');
    await page.waitForFunction(() => / of 10 s/.test(document.getElementById('training-text').textContent));
    await page.click('#stop-training');
    await page.waitForFunction(() =>
      document.getElementById('training-text').textContent.startsWith('Cancelled'),
    );
    await page.check('#samples input[value="spiral"]');
    await page.click('#train');
    await page.waitForFunction(() => !document.getElementById('alert').hidden);
    match(await page.locator('#alert').innerText(), /^Training is for pictures/);
    equal(heard.complaints, []);
  },

  async 'hands out arrays and pictures that can be read'({ page }) {
    await computed(page);
    const npy = await download(page, '#save-scores');
    match(npy.name, /^nagasaki-boats-64-scores\.npy$/);
    match(npy.bytes.subarray(0, 128).toString('latin1'), /'shape': \(21, 2, 64, 64\)/);
    equal(npy.bytes.length % 8, 0);
    match(
      (await download(page, '#save-density')).bytes.subarray(0, 128).toString('latin1'),
      /\(21, 64, 64\)/,
    );
    match((await download(page, '#save-points')).bytes.subarray(0, 128).toString('latin1'), /\(100000, 2\)/);
    const { width, height, format } = await sharp((await download(page, '#save-field')).bytes).metadata();
    equal([width, height, format], [64, 64, 'png']);
    const dots = await sharp((await download(page, '#save-dots')).bytes).stats();
    truth(dots.channels[0].stdev > 10, 'dots in the picture');
  },

  async 'restores settings from a link, and names what it cannot use'({ page, url }) {
    await page.selectOption('#scheme', 'na2024');
    await page.check('#samples input[value="moons"]');
    const link = await page.locator('#link').inputValue();
    equal(link, `${url}#source=moons&scheme=na2024&equation=ve&sigma=5`);
    await page.goto('about:blank');
    await page.goto(`${link}&size=63`);
    match(await page.locator('#alert').innerText(), /left out: size=63\.$/);
    equal(await page.locator('#scheme').inputValue(), 'na2024');
    truth(await page.isChecked('#samples input[value="moons"]'), 'the sample is chosen');
    await computed(page);
    match(await page.locator('#summary').innerText(), /na2024, ve:5, 20 levels/);
    truth(await page.isDisabled('#show-arrows'), 'no arrows in na2024');
  },

  async 'refuses settings that do not fit, in words'({ page }) {
    await page.fill('#levels', '1.5');
    await page.click('#run');
    match(await page.locator('#alert').innerText(), /^Levels must be a whole number from 2 to 200/);
    await page.fill('#levels', '150');
    await page.selectOption('#size', '256');
    await page.click('#run');
    match(await page.locator('#alert').innerText(), /over the page’s limit/);
  },

  async 'refuses files that are not what they are called'({ page }) {
    const refusals = [
      ['notes.png', Buffer.from('only words\n'), /notes\.png is no PNG, JPEG or WebP picture/],
      ['cut.png', (await blank(64, 64)).subarray(0, 60), /cut\.png begins as a PNG picture of 64 × 64, but/],
      ['empty.jpg', Buffer.alloc(0), /empty\.jpg is no PNG/],
      ['words.csv', Buffer.from('1,2\nthree,4\n'), /Line 2, entry 1 is "three"/],
      ['holes.csv', Buffer.from('1,2\n3,\n'), /Line 2, entry 2 is empty/],
      ['empty.csv', Buffer.alloc(0), /The file is empty/],
      ['picture.csv', await blank(8, 8), /This is no text/],
    ];
    for (const [name, buffer, words] of refusals) {
      await page.setInputFiles('#file', { name, mimeType: '', buffer });
      await page.click('#run');
      await page.waitForFunction(
        (part) => document.getElementById('alert').textContent.includes(part),
        name.endsWith('csv') ? ' ' : name,
      );
      await page.waitForFunction(() => document.getElementById('cancel').hidden);
      match(await page.locator('#alert').innerText(), words);
    }
    await page.setInputFiles('#file', {
      name: 'points.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('0,0\n1,3\n2,1\n5,5\n'),
    });
    await computed(page);
    match(await page.locator('#summary').innerText(), /from 4 points/);
    truth(await page.isHidden('#alert'), 'the last problem is gone');
  },

  async 'takes a picture of 50 megapixels, and refuses one over its limit'({ page }) {
    await page.setInputFiles('#file', {
      name: 'large.png',
      mimeType: 'image/png',
      buffer: await halves(8192, 6144),
    });
    await computed(page, 60_000);
    await page.setInputFiles('#file', {
      name: 'larger.png',
      mimeType: 'image/png',
      buffer: await blank(9000, 9000),
    });
    await page.click('#run');
    await page.waitForFunction(() => !document.getElementById('alert').hidden);
    match(
      await page.locator('#alert').innerText(),
      /9000 × 9000 = 81 million pixels, over the page’s limit of 64 million/,
    );
  },

  async 'a second start ends the first; a run can be cancelled'({ page }) {
    await page.selectOption('#size', '256');
    await page.fill('#levels', '60');
    await page.evaluate(() => {
      const run = document.getElementById('run');
      run.click();
      run.click();
    });
    await page.waitForFunction(() => !document.getElementById('cancel').hidden);
    await page.click('#cancel');
    await page.waitForFunction(() => document.getElementById('cancel').hidden);
    truth(await page.isHidden('#alert'), 'a cancelled run is no error');
    truth(await page.isHidden('#computed'), 'nothing is shown of it');
    await page.evaluate(() => document.getElementById('run').click());
    await page.selectOption('#size', '32');
    await page.fill('#levels', '5');
    await computed(page);
    match(await page.locator('#summary').innerText(), /6 levels of 32 × 32/);
  },

  async 'replaces a worker that was ended'({ page }) {
    await computed(page);
    await page.selectOption('#size', '256');
    await page.fill('#levels', '60');
    await Promise.all(page.workers().map((worker) => worker.evaluate(() => self.close())));
    await page.click('#run');
    await page.waitForFunction(() => !document.getElementById('alert').hidden, null, { timeout: 30_000 });
    match(
      await page.locator('#alert').innerText(),
      /has not answered for 10 seconds.*A new one starts with the next run/,
    );
    await page.selectOption('#size', '32');
    await page.fill('#levels', '20');
    await computed(page);
    match(await page.locator('#summary').innerText(), /21 levels of 32 × 32/);
    // The points' worker was ended, too.
    await page.click('#play');
    await arrived(page);
  },

  async 'runs the scalar build where there is no SIMD'({ page, prepend }) {
    // The probe for SIMD is a module of some bytes with a function that returns a vector (0x7b).
    await prepend(
      'const { validate } = WebAssembly;' +
        'WebAssembly.validate = (bytes) => !(bytes.length < 64 && bytes.includes(0x7b)) && validate(bytes);',
    );
    await page.reload();
    await computed(page);
    match(await page.locator('#summary').innerText(), /build scalar/);
  },

  async 'says so where there is no WebAssembly'({ page, prepend }) {
    await prepend('delete globalThis.WebAssembly;');
    await page.reload();
    match(await page.locator('#kernel').innerText(), /no WebAssembly/);
    await page.click('#run');
    await page.waitForFunction(() => !document.getElementById('alert').hidden);
    match(await page.locator('#alert').innerText(), /^This browser has no WebAssembly/);
  },

  async 'names the directive where a policy blocks WebAssembly'({ page, folder }) {
    const strict = await serve(folder, { policy: POLICY.replace(" 'wasm-unsafe-eval'", '') });
    try {
      await page.goto(strict.url);
      await page.click('#run');
      await page.waitForFunction(() => !document.getElementById('alert').hidden);
      match(await page.locator('#alert').innerText(), /script-src ‘wasm-unsafe-eval’/);
    } finally {
      await strict.close();
    }
  },

  async 'needs no storage'({ page }) {
    await page.addInitScript(() => {
      for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches'])
        Object.defineProperty(globalThis, name, {
          get() {
            throw new DOMException('storage is full', 'QuotaExceededError');
          },
        });
    });
    await page.reload();
    await computed(page);
  },

  async 'has a name for every control, and a way by keyboard to each'({ page }) {
    await computed(page);
    const nameless = await page.evaluate(() =>
      [
        ...document.querySelectorAll(
          'button, select, input, summary, [tabindex="0"], progress, figure, svg[aria-label]',
        ),
      ]
        .filter((element) => element.checkVisibility() && element.getAttribute('tabindex') !== '-1')
        .filter((element) => {
          const labels = element.labels === undefined ? [] : [...(element.labels ?? [])];
          const by = element.getAttribute('aria-labelledby');
          const text = [
            element.getAttribute('aria-label'),
            element.textContent,
            by && document.getElementById(by)?.textContent,
          ];
          return ![...text, ...labels.map((label) => label.textContent)].some((words) => words?.trim());
        })
        .map((element) => element.outerHTML.slice(0, 80)),
    );
    equal(nameless, []);
    const snapshot = await page.locator('body').ariaSnapshot();
    for (const part of [
      '- main',
      '- heading "seedspan" [level=1]',
      '- heading "Log density and score" [level=2]',
      '- contentinfo',
      'radiogroup "Samples"',
      'slider "Time',
    ])
      truth(snapshot.includes(part), `the accessibility tree has ${part}`);
    truth(
      !/- (button|combobox|spinbutton|slider|checkbox|textbox)\s*$/m.test(snapshot),
      'no control without a name',
    );
    await page.evaluate(() => document.querySelector('.skip').focus());
    const reached = ['Skip to the results'];
    for (let k = 0; k < 60; k++) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate(() => {
        const { activeElement: element } = document;
        return element === document.body ? '' : element.id || element.name || element.textContent.trim();
      });
      if (at === '' && reached.length > 5) break;
      reached.push(at);
    }
    const wanted = [
      'Skip to the results',
      'file',
      'sample',
      'scheme',
      'size',
      'equation',
      'sigma',
      'levels',
      'tolerance',
      'ink',
      'seed',
      'run',
      'arrows',
      'time',
      'quantity',
      'span',
      'show-arrows',
      'save-density',
      'save-scores',
      'save-field',
      'points',
      'frames',
      'way',
      'draw',
      'play',
      'step',
      'again',
      'save-points',
      'save-dots',
      'measure',
      'seconds',
      'train',
      'link',
      'copy',
    ];
    equal(
      reached.filter((id) => wanted.includes(id)),
      wanted,
    );
  },

  async 'has readable colours, light and dark, and fits narrow screens'({ page }) {
    await computed(page);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      const faint = await page.evaluate(leastContrast);
      truth(faint.ratio >= 4.5, `${colorScheme}: ${faint.text} has contrast ${faint.ratio.toFixed(2)}`);
    }
    for (const width of [320, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      truth(over <= 0, `${width} pixels: nothing sticks out (${over})`);
    }
  },
};

/**
 * Runs all cases, each on a page of its own.
 *
 * @param only - part of the names of cases
 * @returns `{ name, ok, detail }` each; `detail` says what went wrong
 */
export async function testPage({ playwright, executablePath, folder, only = '' }) {
  const site = await serve(folder, { prefix: '/some/path/' });
  const browser = await playwright.chromium.launch({ executablePath, args: FLAGS });
  const results = [];
  try {
    for (const [name, run] of Object.entries(CASES)) {
      if (!name.includes(only)) continue;
      const context = await browser.newContext({
        viewport: { width: 1280, height: 900 },
        acceptDownloads: true,
      });
      try {
        const page = await context.newPage();
        page.setDefaultTimeout(30_000);
        const heard = listen(page);
        const prepend = (code) => prependTo(context, folder, code);
        await page.goto(site.url);
        await run({ page, url: site.url, folder, heard, prepend });
        results.push({ name, ok: true, detail: '' });
      } catch (error) {
        results.push({ name, ok: false, detail: error.message });
      } finally {
        await context.close();
      }
    }
  } finally {
    await browser.close();
    await site.close();
  }
  return results;
}

function listen(page) {
  const heard = { complaints: [], requests: [] };
  page.on('console', (message) => {
    // What software rendering and its measurement make the driver say.
    if (/GPU stall|GL Driver/.test(message.text())) return;
    if (['error', 'warning'].includes(message.type())) heard.complaints.push(message.text());
  });
  page.on('pageerror', (error) => heard.complaints.push(error.message));
  page.on('request', (request) => heard.requests.push(request.url()));
  return heard;
}

/** Makes page and worker run some code first, as a browser that lacks something would have it. */
async function prependTo(context, folder, code) {
  for (const file of ['main.js', 'worker.js']) {
    const body = await readFile(join(folder, file), 'utf8');
    // Modules are evaluated before what imports them, so the code has to be one.
    await context.route(`**/${file}`, (route) =>
      route.fulfill({ contentType: 'text/javascript', body: `import './first.js';\n${body}` }),
    );
  }
  await context.route('**/first.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: code }),
  );
}

/** Starts, and waits for the result. */
async function computed(page, timeout = 30_000) {
  await page.click('#run');
  await page.waitForFunction(
    () => {
      const { hidden } = document.getElementById('cancel');
      return (
        hidden && (!document.getElementById('computed').hidden || !document.getElementById('alert').hidden)
      );
    },
    null,
    { timeout },
  );
  equal(await page.locator('#alert').innerText(), '');
}

const arrived = (page) =>
  page.waitForFunction(() => document.getElementById('travel').value === 1, null, { timeout: 60_000 });

const pixels = (page, canvas) => page.evaluate((id) => document.querySelector(id).toDataURL(), canvas);

/** Share of ink in the upper and lower third of the dots, as they are on the screen. */
async function darkShares(page) {
  const shot = await page.locator('#dots').screenshot();
  const { data, info } = await sharp(shot).greyscale().raw().toBuffer({ resolveWithObject: true });
  const share = (from, to) => {
    const part = data.subarray(
      Math.round(from * info.height) * info.width,
      Math.round(to * info.height) * info.width,
    );
    return 1 - part.reduce((sum, value) => sum + value, 0) / part.length / 255;
  };
  return { top: share(0.02, 0.3), bottom: share(0.6, 0.95) };
}

/** As a browser does it: the state first, then the event. */
const setHidden = (page, hidden) =>
  page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

async function download(page, button) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

const blank = (width, height) =>
  sharp({ create: { width, height, channels: 3, background: '#b09070' }, limitInputPixels: false })
    .png({ compressionLevel: 1, palette: true })
    .toBuffer();

/** Dark on the left, light on the right. */
async function halves(width, height) {
  const left = await blank(width / 2, height);
  return sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite([{ input: left, left: 0, top: 0 }])
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** In the page: the text with the least contrast to what is behind it (WCAG 2.2, relative luminance). */
function leastContrast() {
  const numbers = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (numbers(backgroundColor)[3] !== 0) return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  };
  let least = { ratio: 21, text: '' };
  for (const element of document.querySelectorAll('body *')) {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === 3)
      .map((node) => node.data)
      .join('')
      .trim();
    if (text === '' || !element.checkVisibility() || element.matches('script, style, option, :disabled'))
      continue;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least.ratio) least = { ratio, text: text.slice(0, 40) };
  }
  return least;
}

function truth(value, what) {
  if (!value) throw new Error(`not so: ${what}`);
}

function equal(actual, expected) {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value));
  if (a !== b) throw new Error(`expected ${b}, got ${a}`);
}

function match(text, pattern) {
  if (!pattern.test(text)) throw new Error(`expected ${pattern}, got ${JSON.stringify(text)}`);
}

import { parseHTML } from 'linkedom';
import { beforeAll, describe, expect, test } from 'vitest';
import { arrowPlot, linePlot } from '../../src/node/report/plots.ts';
import { decisionTexts, duration, verdict } from '../../src/node/report/words.ts';
import { report, type WayCost } from '../../src/node/report.ts';
import { madeUpPictures, madeUpRun } from './made-up-run.ts';

const NASTY = '<script>alert("x")</script> & \'y\'';
const comparison: WayCost[] = ['BiCGSTAB, cold', NASTY].map((way, k) => ({
  way,
  runs: 3,
  solveTime: 100 - 25 * k,
  totalTime: 150,
  iterations: 1234,
  solves: 99,
  residual: 9e-11,
  saved: 25 * k,
  status: k === 0 ? 'converged' : 'stagnated',
}));

function parse(page: string) {
  const { document } = parseHTML(page);
  const all = (selector: string) => [...document.querySelectorAll(selector)];
  return { document, all, text: document.body.textContent ?? '' };
}

describe.each(['consistent', 'na2024'] as const)('the report of a run of scheme %s', (scheme) => {
  let page: string;
  let parsed: ReturnType<typeof parse>;
  beforeAll(async () => {
    const pictures = madeUpPictures(2, 24);
    page = await report({
      pictures,
      embedded: pictures,
      names: ['cat', NASTY],
      result: madeUpRun(scheme, 2, 24),
      comparison,
      fixedPointRtol: 1e-6,
      options: { [NASTY]: NASTY },
      versions: { seedspan: '0.1.0' },
    });
    parsed = parse(page);
  });

  test('stands alone: no scripts, nothing fetched', () => {
    expect(page).not.toMatch(/<script|<link|<iframe|@import|url\(/i);
    for (const element of parsed.all('[src], [href], image')) {
      const from =
        element.getAttribute('src') ?? element.getAttribute('href') ?? element.getAttribute('xlink:href');
      expect(from).toMatch(/^data:image\/png;base64,[A-Za-z0-9+/]+=*$/);
    }
  });

  test('text of users is text', () => {
    expect(parsed.all('script')).toHaveLength(0);
    expect(parsed.text).toContain(NASTY);
    expect(parsed.all('img').some((img) => img.getAttribute('alt')?.includes(NASTY))).toBe(true);
  });

  test('can be read aloud: language, title, headings in order, every picture with words, tables with scopes', () => {
    expect(parsed.document.documentElement.getAttribute('lang')).toBe('en');
    expect(parsed.document.title).toBe('Score pre-computation: 2 pictures, 24 × 24');
    const levels = parsed.all('h1, h2, h3').map((heading) => Number(heading.tagName[1]));
    expect(levels[0]).toBe(1);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    levels.slice(1).forEach((level, k) => {
      expect(level - levels[k]).toBeLessThanOrEqual(1);
    });
    for (const img of parsed.all('img')) expect(img.getAttribute('alt')).toBeTruthy();
    const drawings = parsed.all('figure.plot > svg');
    expect(drawings.length).toBeGreaterThanOrEqual(4);
    for (const svg of drawings) {
      expect(svg.getAttribute('role')).toBe('img');
      expect(svg.getAttribute('aria-label')?.length).toBeGreaterThan(20);
    }
    for (const cell of parsed.all('th')) expect(cell.getAttribute('scope')).toMatch(/^(col|row)$/);
    for (const one of parsed.all('table')) expect(one.querySelector('caption')?.textContent).toBeTruthy();
  });

  test('holds the run: figures, five levels a picture, the comparison, options and versions', () => {
    const run = madeUpRun(scheme, 2, 24);
    expect(parsed.text).toContain(run.report.iterations.toLocaleString('en-GB'));
    const alts = parsed.all('img').map((img) => img.getAttribute('alt') ?? '');
    expect(alts.filter((alt) => alt.startsWith('Log density of cat at t = '))).toHaveLength(5);
    expect(alts.filter((alt) => alt.startsWith('cat, '))).toHaveLength(2);
    const rows = parsed.all('tbody tr').map((row) => [...row.children].map((cell) => cell.textContent));
    expect(rows).toContainEqual([
      'BiCGSTAB, cold',
      '100 ms',
      '150 ms',
      '1,234',
      '99',
      '9.0e-11',
      '–',
      'converged',
    ]);
    expect(rows).toContainEqual([NASTY, '75 ms', '150 ms', '1,234', '99', '9.0e-11', '25.0 %', 'stagnated']);
    expect(rows).toContainEqual([NASTY, NASTY]);
    expect(rows).toContainEqual(['kernel build', 'simd']);
  });

  test('scores: arrows for two components, a signed map for one', () => {
    const arrows = parsed
      .all('figure.plot > svg')
      .filter((svg) => svg.getAttribute('aria-label')?.startsWith('Score of'));
    const maps = parsed
      .all('img')
      .filter((img) => img.getAttribute('alt')?.startsWith('Score of cat at t = '));
    expect([arrows.length, maps.length]).toEqual(scheme === 'na2024' ? [0, 5] : [6, 0]);
  });
});

describe('honesty', () => {
  test.each(['max-iterations', 'stagnated', 'breakdown', 'non-finite'] as const)(
    'status %s is not called converged',
    async (status) => {
      const result = madeUpRun('consistent', 1, 8);
      result.report.status = status;
      result.scores.data.fill(Number.NaN);
      result.logDensity.data.fill(Number.NaN);
      const { text } = parse(await report({ pictures: madeUpPictures(1, 8), names: ['cat'], result }));
      expect(text).toContain(verdict(status));
      expect(text).not.toContain(verdict('converged'));
      expect(verdict(status)).toMatch(/^(Not converged|Failed)/);
    },
  );

  test('of many pictures the first six are shown, and the page says so', async () => {
    const { text, all } = parse(
      await report({
        pictures: madeUpPictures(8, 4),
        names: Array.from({ length: 8 }, (_, k) => `p${k}`),
        result: madeUpRun('consistent', 8, 4),
      }),
    );
    expect(text).toContain('The first 6 of 8.');
    expect(all('h3').map((heading) => heading.textContent)).not.toContain('p6');
  });

  test('refuses pictures that are not those of the run, and unknown options', async () => {
    const input = { pictures: madeUpPictures(1, 8), names: ['cat'], result: madeUpRun('consistent', 2, 8) };
    await expect(report(input)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
    await expect(report({ ...input, colour: 'red' } as typeof input)).rejects.toMatchObject({
      code: 'UNKNOWN_OPTION',
    });
  });
});

describe('plots', () => {
  test.each([
    ['up', -1, 0, 0],
    ['right', 0, 1, 90],
    ['down', 1, 0, 180],
    ['left', 0, -1, -90],
  ])('an arrow %s', async (_, down, right, degrees) => {
    const { text } = await arrowPlot({
      arrows: [{ row: 1, column: 2, down, right }],
      shape: [4, 4],
      stride: 1,
      background: 'data:image/png;base64,AAAA',
      label: 'one arrow',
    });
    const path = parseHTML(text).document.querySelector('path');
    // Row 1, column 2 of a 4 x 4 grid drawn 320 wide: the centre of its square.
    expect(path?.getAttribute('transform')).toMatch(
      new RegExp(`^translate\\(200,120\\) rotate\\(${degrees}\\)`),
    );
  });

  test('exact zeros and nothing at all on a logarithmic axis', async () => {
    const plot = { x: 'step', y: 'change', logarithmic: true, label: 'changes' };
    const zeros = [{ x: 1, y: 0 }];
    expect((await linePlot({ ...plot, series: [{ name: 'a', points: zeros }] })).text).toContain(
      'No values to draw',
    );
    const { text } = await linePlot({
      ...plot,
      series: [{ name: 'a', points: [...zeros, { x: 2, y: 1e-5 }] }],
    });
    expect(text).not.toMatch(/NaN|Infinity/);
  });

  test('what was shared, of long lists the beginning', () => {
    const decisions = [1, 7, 2].map((operators, k) => ({
      level: k + 1,
      image: k % 2,
      operators,
      served: 9,
      reason: `for reason ${k}`,
    }));
    expect(decisionTexts(decisions, ['cat', 'boats'], 2)).toEqual([
      'made once, at level 1 of cat, for 9 steps: for reason 0.',
      'made 7 times, first at level 2 of boats, for 9 steps: for reason 1.',
      "and so on, 1 time more: see the run's data.",
    ]);
    expect(decisionTexts([{ ...decisions[0], operators: 0 }], ['cat'], 2)).toEqual([
      'none was shared: for reason 0.',
    ]);
  });

  test('durations', () => {
    expect([0.123, 9.87, 151.3, 1234, 123_456].map(duration)).toEqual([
      '0.12 ms',
      '9.9 ms',
      '151 ms',
      '1.23 s',
      '2 min 3 s',
    ]);
  });
});

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { type ArmCurves, armCurves, baselineSpread, type CaseResult } from './figures.ts';
import { band, type Measure } from './passage.ts';

const STYLE = {
  fontSize: '12px',
  fontFamily: 'system-ui, sans-serif',
  background: 'white',
  color: '#1a1a1a',
};
export const COLOURS = ['#4269d0', '#e0711c', '#2f9e6e', '#8a8a8a', '#b0479a'];
const DASHES = ['none', '7 3', 'none', '3 3', '8 3 2 3'];
const [WIDTH, HEIGHT] = [460, 320];
/** Room above the panels for the names of the arms. */
const HEAD = 62;

const PANELS = [
  { measure: 'ssim', name: 'windowed SSIM' },
  { measure: 'globalSsim', name: 'global SSIM' },
] as const;

export function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** A drawing of a width and height, to be put among others. */
export interface Drawing {
  svg: string;
  width: number;
  height: number;
}

export function drawing(options: Plot.PlotOptions): Drawing {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const { width = WIDTH, height = HEIGHT } = options;
  const svg = Plot.plot({
    ...options,
    width,
    height,
    document: document as unknown as Document,
    style: STYLE,
  });
  return { svg: (svg as unknown as { outerHTML: string }).outerHTML, width, height };
}

/** A file of drawings side by side, under a head of that height. */
export function asFile(head: string, height: number, drawings: readonly Drawing[]): string {
  const all = {
    width: drawings.reduce((sum, { width }) => sum + width, 0),
    height: height + Math.max(...drawings.map((one) => one.height)),
  };
  let x = 0;
  const placed = drawings.map(({ svg, width }) => {
    const text = svg.replace('<svg ', `<svg x="${x}" y="${height}" `);
    x += width;
    return text;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${all.width}" height="${all.height}" viewBox="0 0 ${all.width} ${all.height}"`,
    ` font-family="system-ui, sans-serif" font-size="13" fill="#1a1a1a"><rect width="100%" height="100%" fill="white"/>`,
    `${head}${placed.join('')}</svg>\n`,
  ].join('');
}

export function keys(names: readonly string[]): string {
  return names
    .map((name, k) => {
      const place = `translate(${16 + (k % 5) * 178},42)`;
      const line = `<line x2="24" stroke="${COLOURS[k]}" stroke-width="2.5" stroke-dasharray="${DASHES[k]}"/>`;
      return `<g transform="${place}">${line}<text x="30" y="4">${escaped(name)}</text></g>`;
    })
    .join('');
}

/** Similarity against CPU seconds: means over the seeds, and between the seeds a band. */
export function similarityPlot(title: string, result: CaseResult): string {
  const curves = armCurves(result);
  const head = `<text x="16" y="22" font-size="15" font-weight="600">${escaped(title)}</text>${keys(curves.map(({ arm }) => arm))}`;
  return asFile(
    head,
    HEAD,
    PANELS.map(({ measure, name }) => panel(result, curves, measure, name)),
  );
}

function panel(result: CaseResult, curves: readonly ArmCurves[], measure: Measure, name: string): Drawing {
  const bands = curves.map((arm) => band(arm.curves, measure));
  const flat = (['noisy', measure === 'ssim' ? 'blur' : 'globalBlur'] as const).map((kind) => ({
    name: kind === 'noisy' ? 'noisy input' : 'best blur',
    value: baselineSpread(result, kind, measure)?.mean ?? 0,
  }));
  return drawing({
    marginLeft: 44,
    marginRight: 16,
    marginBottom: 40,
    x: {
      label: 'CPU seconds, pre-computation counted',
      labelArrow: 'none',
      labelAnchor: 'center',
      domain: [0, Math.max(...bands.flat().map(({ cpu }) => cpu), result.one.budget)],
      ticks: 6,
    },
    y: { label: name, labelArrow: 'none', grid: true, domain: [Math.min(0, lowest(bands)), 1], ticks: 6 },
    marks: [
      ...bands.flatMap((points, k) => [
        Plot.areaY(points, { x: 'cpu', y1: 'low', y2: 'high', fill: COLOURS[k], fillOpacity: 0.13 }),
        Plot.lineY(points, {
          x: 'cpu',
          y: 'mean',
          stroke: COLOURS[k],
          strokeWidth: 1.8,
          strokeDasharray: DASHES[k],
        }),
      ]),
      ...flat.flatMap(({ name: text, value }) => [
        Plot.ruleY([value], { stroke: '#1a1a1a', strokeOpacity: 0.5, strokeDasharray: '2 3' }),
        Plot.text([value], {
          y: (at: number) => at,
          text: () => text,
          frameAnchor: 'right',
          textAnchor: 'end',
          dx: -4,
          // The blur is the better of the two: its name stands above its line, the other below.
          dy: text === 'best blur' ? -7 : 8,
          fill: '#444',
          stroke: 'white',
          strokeWidth: 4,
        }),
      ]),
    ],
  });
}

function lowest(bands: readonly { low: number }[][]): number {
  return Math.min(...bands.flat().map(({ low }) => low), 0);
}

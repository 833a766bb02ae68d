import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

const { document } = parseHTML('<!doctype html><html><body></body></html>');
const SHOWN = ['random', 'first', 'k-medoids', 'leverage'];
const COLOURS = ['#999999', '#efb118', '#4269d0', '#ff725c'];
const SYMBOLS = ['circle', 'triangle', 'plus', 'times'] as const;

/** Iterations with projection over those without, a panel a scheme, over the number of seeds. */
export function countPlot(
  points: readonly { scheme: string; method: string; count: number; share: number }[],
): string {
  const shown = points.filter(({ method }) => SHOWN.includes(method));
  const schemes = [...new Set(shown.map(({ scheme }) => scheme))];
  const drawing = Plot.plot({
    document: document as unknown as Document,
    style: { fontSize: '12px', fontFamily: 'system-ui, sans-serif', background: 'white', color: '#1a1a1a' },
    width: 820,
    height: 330,
    marginLeft: 50,
    marginTop: 50,
    marginBottom: 45,
    fx: { domain: schemes, label: null },
    x: { type: 'point', domain: [1, 2, 4, 8, 16], label: 'seeds →', grid: true },
    y: { domain: [0.6, 1.35], label: '↑ iterations over those without sharing', grid: true },
    color: { domain: SHOWN, range: COLOURS },
    symbol: { domain: SHOWN, range: SYMBOLS },
    marks: [
      Plot.ruleY([1], { stroke: '#888' }),
      Plot.frame({ stroke: '#ddd' }),
      Plot.dot(shown, { x: 'count', y: 'share', fx: 'scheme', stroke: 'method', symbol: 'method', r: 4 }),
      ...SHOWN.flatMap((method, k) => {
        const place = { fx: [schemes[0]], frameAnchor: 'bottom-left' as const, dx: 12, dy: -60 + 16 * k };
        return [
          Plot.dot([method], { ...place, stroke: COLOURS[k], symbol: SYMBOLS[k], r: 4 }),
          Plot.text([method], {
            ...place,
            dx: 24,
            textAnchor: 'start',
            lineAnchor: 'middle',
            text: [method],
            fill: COLOURS[k],
          }),
        ];
      }),
    ],
  }) as unknown as { outerHTML: string };
  return drawing.outerHTML.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
}

import * as Plot from '@observablehq/plot';
import { asFile, COLOURS, document, STYLE } from '../drawing.ts';

const SYMBOLS = ['circle', 'plus', 'times', 'triangle', 'asterisk'] as const;

/** Time of the ways of sharing over that of the best way without, a line a sequence. */
export function dotPlot(points: readonly { sequence: string; way: string; share: number }[]): string {
  const sequences = [...new Set(points.map(({ sequence }) => sequence))];
  const ways = [...new Set(points.map(({ way }) => way))];
  return asFile(
    Plot.plot({
      document,
      style: STYLE,
      width: 820,
      height: 60 + 14 * sequences.length,
      marginLeft: 150,
      marginRight: 20,
      x: {
        type: 'log',
        label: 'time over that of the best way without sharing →',
        grid: true,
        ticks: [0.5, 1, 2, 5, 10, 20],
        tickFormat: String,
      },
      y: { domain: sequences, label: null },
      color: { domain: ways, range: COLOURS, legend: false },
      symbol: { domain: ways, range: SYMBOLS },
      marks: [
        Plot.ruleX([1], { stroke: '#888' }),
        Plot.dot(points, { x: 'share', y: 'sequence', stroke: 'way', symbol: 'way', r: 4 }),
        ...ways.flatMap((way, k) => {
          const place = { frameAnchor: 'top' as const, dx: 70, dy: 8 + 15 * k };
          return [
            Plot.dot([way], { ...place, stroke: COLOURS[k], symbol: SYMBOLS[k], r: 4 }),
            Plot.text([way], { ...place, dx: 80, textAnchor: 'start', text: [way], fill: COLOURS[k] }),
          ];
        }),
      ],
    }) as unknown as { outerHTML: string },
  );
}

/** Milliseconds a system over the number of systems. */
export function linePlot(points: readonly { series: string; count: number; ms: number }[]): string {
  const series = [...new Set(points.map(({ series }) => series))];
  return asFile(
    Plot.plot({
      document,
      style: STYLE,
      width: 640,
      height: 380,
      marginLeft: 50,
      x: {
        type: 'log',
        label: 'systems in the sequence →',
        ticks: [1, 10, 100, 1000],
        tickFormat: String,
        grid: true,
      },
      y: {
        type: 'log',
        label: '↑ ms a system',
        ticks: [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
        tickFormat: String,
        grid: true,
      },
      color: { domain: series, range: COLOURS },
      marks: [
        Plot.line(points, { x: 'count', y: 'ms', stroke: 'series', marker: 'circle' }),
        ...series.map((name, k) =>
          Plot.text([name], {
            frameAnchor: 'top-right',
            dx: -10,
            dy: 10 + 15 * k,
            text: [name],
            fill: COLOURS[k],
          }),
        ),
      ],
    }) as unknown as { outerHTML: string },
  );
}

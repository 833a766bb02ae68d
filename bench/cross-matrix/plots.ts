import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** A file of its own, readable on light and dark pages alike. */
function asFile(drawing: { outerHTML: string }): string {
  return drawing.outerHTML.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
}

const STYLE = {
  fontSize: '12px',
  fontFamily: 'system-ui, sans-serif',
  background: 'white',
  color: '#1a1a1a',
};
const COLOURS = ['#4269d0', '#efb118', '#ff725c', '#6cc5b0', '#1a1a1a', '#9c6b4e'];

/** Time of the ways of sharing over that of the best way without, a line a sequence. */
export function dotPlot(points: readonly { sequence: string; way: string; share: number }[]): string {
  const sequences = [...new Set(points.map(({ sequence }) => sequence))];
  const ways = [...new Set(points.map(({ way }) => way))];
  return asFile(
    Plot.plot({
      document: document as unknown as Document,
      style: STYLE,
      width: 820,
      height: 60 + 14 * sequences.length,
      marginLeft: 150,
      marginRight: 20,
      x: { type: 'log', label: 'time over that of the best way without sharing →', grid: true },
      y: { domain: sequences, label: null },
      color: { domain: ways, range: COLOURS, legend: false },
      symbol: { domain: ways },
      marks: [
        Plot.ruleX([1], { stroke: '#888' }),
        Plot.dot(points, { x: 'share', y: 'sequence', stroke: 'way', symbol: 'way', r: 4 }),
        Plot.text(ways, {
          frameAnchor: 'top-right',
          dy: (_: string, k: number) => 14 * k,
          text: (way: string) => way,
          fill: (way: string) => way,
        } as object),
      ],
    }) as unknown as { outerHTML: string },
  );
}

/** Milliseconds a system over the number of systems. */
export function linePlot(points: readonly { series: string; count: number; ms: number }[]): string {
  const series = [...new Set(points.map(({ series }) => series))];
  return asFile(
    Plot.plot({
      document: document as unknown as Document,
      style: STYLE,
      width: 640,
      height: 360,
      marginRight: 190,
      x: { type: 'log', label: 'systems in the sequence →', grid: true },
      y: { type: 'log', label: '↑ ms a system', grid: true },
      color: { domain: series, range: COLOURS },
      marks: [
        Plot.line(points, { x: 'count', y: 'ms', stroke: 'series', marker: 'circle' }),
        Plot.text(
          points,
          Plot.selectLast({
            x: 'count',
            y: 'ms',
            z: 'series',
            text: 'series',
            fill: 'series',
            textAnchor: 'start',
            dx: 8,
          }),
        ),
      ],
    }) as unknown as { outerHTML: string },
  );
}

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { SupervisionReport, SupervisionRun } from './supervision.ts';

// Error against the budget, one picture for each data set: CPU time to the left, steps to the right.

const WAYS = [
  { key: 'exact', name: 'exact supervision', colour: '#1f6f8b' },
  { key: 'cosine', name: 'denoising, cosine decay', colour: '#b4541a' },
  { key: 'constant', name: 'denoising, constant rate', colour: '#5b4b9a' },
  { key: 'stable-targets', name: 'denoising, stable targets', colour: '#3f7d3a' },
] as const;

const STYLE = { fontSize: '13px', fontFamily: 'sans-serif', background: 'white', color: '#1d2329' };
const [WIDTH, HEIGHT, HEAD] = [460, 300, 34];

interface Place {
  x: number;
  error: number;
  run: string;
  way: string;
}

/** Which line a run belongs to: of several rates of denoising, those that ended best are drawn. */
function wayOf(run: SupervisionRun, report: SupervisionReport): string | undefined {
  if (run.data !== 'density') return undefined;
  if (run.method === 'stable-targets') return run.method;
  if (run.method === 'exact') return 'exact';
  const end = ({ curve }: SupervisionRun) => curve[curve.length - 1].error;
  const rivals = report.runs.filter(
    ({ set, seed, method, data, schedule }) =>
      set === run.set &&
      seed === run.seed &&
      method === run.method &&
      data === run.data &&
      schedule === run.schedule,
  );
  return rivals.every((rival) => end(run) <= end(rival)) ? run.schedule : undefined;
}

/** An SVG picture for each data set, by its name. */
export function supervisionPlots(report: SupervisionReport): Map<string, string> {
  return new Map(report.medians.map(({ set }) => [set, plotOf(report, set)]));
}

function plotOf(report: SupervisionReport, set: string): string {
  const runs = report.runs.filter((run) => run.set === set && wayOf(run, report) !== undefined);
  const places = (of: (mark: SupervisionRun['curve'][number]) => number): Place[] =>
    runs.flatMap((run) => {
      const way = wayOf(run, report) as string;
      return run.curve.map((mark) => ({ x: of(mark), error: mark.error, run: `${way} ${run.seed}`, way }));
    });
  const targets = report.rows
    .filter((row) => row.set === set && row.rival === 'denoising')
    .map((row) => row.end.error);
  const target = targets.sort((a, b) => a - b)[Math.floor(targets.length / 2)];
  const panels = [
    panel(
      places(({ seconds }) => seconds),
      'CPU seconds, pre-computation counted',
      target,
      'relative error of the score',
    ),
    panel(
      places(({ step }) => step),
      'optimiser steps',
      target,
      '',
    ),
  ];
  const present = new Set(runs.map((run) => wayOf(run, report)));
  const keys = WAYS.filter(({ key }) => present.has(key)).map(
    ({ name, colour }, k) =>
      `<g transform="translate(${150 + 190 * k},21)"><line x2="24" stroke="${colour}" stroke-width="2.5"/><text x="30" y="4" font-size="12">${name}</text></g>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${2 * WIDTH}" height="${HEIGHT + HEAD}" viewBox="0 0 ${2 * WIDTH} ${HEIGHT + HEAD}"`,
    ` font-family="sans-serif" font-size="13" fill="#1d2329"><rect width="100%" height="100%" fill="white"/>`,
    `<text x="16" y="25" font-size="16" font-weight="600">${set}</text>${keys.join('')}`,
    ...panels.map((svg, k) => svg.replace('<svg ', `<svg x="${k * WIDTH}" y="${HEAD}" `)),
    '</svg>',
  ].join('');
}

function panel(places: readonly Place[], x: string, target: number, y: string): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    document,
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 58,
    marginBottom: 44,
    marginRight: 24,
    style: STYLE,
    x: {
      type: 'log',
      label: x,
      labelArrow: 'none',
      labelAnchor: 'center',
      ticks: 5,
      tickFormat: '~g',
      clamp: true,
    },
    y: { type: 'log', label: y, labelArrow: 'none', grid: true, ticks: 5, tickFormat: '~g' },
    color: { domain: WAYS.map(({ key }) => key), range: WAYS.map(({ colour }) => colour) },
    marks: [
      Plot.ruleY([target], { stroke: '#1d2329', strokeOpacity: 0.55, strokeDasharray: '4 3' }),
      Plot.text([target], {
        y: (value: number) => value,
        text: () => 'where denoising ends',
        frameAnchor: 'left',
        textAnchor: 'start',
        dx: 6,
        dy: 10,
        fill: '#58626d',
      }),
      Plot.line(places, {
        x: 'x',
        y: 'error',
        z: 'run',
        stroke: 'way',
        strokeWidth: 1.6,
        strokeOpacity: 0.85,
      }),
    ],
  });
  const text = svg.outerHTML;
  return text.includes('xmlns=') ? text : text.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
}

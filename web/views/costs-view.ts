import * as Plot from '@observablehq/plot';
import type { CostsOutput, WayResult } from '../compute/costs.ts';
import { COSTS_RTOL } from '../compute/costs.ts';
import type { PrecomputeOutput } from '../compute/precompute.ts';
import { alertUser, announce, byId, show } from '../dom.ts';
import { duration, figure, whole } from '../figures.ts';
import { type Settings, sdeName } from '../settings.ts';
import { inWords, wasCancelled } from '../words.ts';
import type { WorkerClient } from '../worker-client.ts';

/** Distinct to eyes of any kind, readable on light and dark paper (Okabe and Ito's, two of them made lighter or darker). */
const COLOURS = [
  '#d55e00',
  '#0072b2',
  '#009e73',
  '#cc79a7',
  '#9a8400',
  '#56b4e9',
  '#7a7a7a',
  '#a8661c',
  '#7b4fb0',
];
/** Points of a curve beyond which it is thinned: more than there are pixels. */
const CURVE_POINTS = 400;

/** What each way of solving one of the picture's systems costs. */
export class CostsView {
  readonly #client: WorkerClient;
  readonly #levelShown: () => number;
  #result: PrecomputeOutput | undefined;
  #settings: Settings | undefined;
  #ways: WayResult[] = [];
  #running: AbortController | undefined;

  /** @param levelShown - index of the time that the field's view shows */
  constructor(client: WorkerClient, levelShown: () => number) {
    this.#client = client;
    this.#levelShown = levelShown;
    byId('measure').addEventListener('click', () => void this.#measure());
    byId('stop-measuring').addEventListener('click', () => this.cancel());
    new ResizeObserver(() => this.#draw()).observe(byId('bars'));
  }

  show(result: PrecomputeOutput, settings: Settings): void {
    this.cancel();
    this.#result = result;
    this.#settings = settings;
    this.#ways = [];
    show(byId('costs-done'), false);
    byId('costs-text').textContent = '';
    const { height, width } = result;
    byId('costs-lead').textContent =
      `One linear system of this field: a backward Euler step of the equation, linearised around the level before, ${whole(height * width)} unknowns, as scheme consistent discretises it. Solved to a relative residual of 1e−8 by each way in turn, to the level that the slider above shows (at least the third). Each solve loads the matrix and makes its preconditioner anew.`;
  }

  cancel(): void {
    this.#running?.abort();
  }

  async #measure(): Promise<void> {
    const [result, settings] = [this.#result, this.#settings];
    if (result === undefined || settings === undefined) return;
    // A second start ends the first.
    this.cancel();
    const running = new AbortController();
    this.#running = running;
    this.#ways = [];
    show(byId('stop-measuring'), true);
    alertUser(undefined);
    const { height, width, times } = result;
    const level = Math.max(2, this.#levelShown());
    const n = height * width;
    const at = (k: number) => result.logDensity.slice(k * n, (k + 1) * n);
    const unit = 1 / (Math.max(height, width) - 1);
    try {
      const output = await this.#client.run(
        'costs',
        {
          height,
          width,
          spacing: [unit, unit],
          sde: sdeName(settings),
          levels: [at(level - 2), at(level - 1), at(level)],
          times: [times[level - 2], times[level - 1], times[level]],
        },
        {
          signal: running.signal,
          news: (way) => {
            this.#ways.push(way);
            byId('costs-text').textContent = `${way.way}: ${duration(way.time)}`;
            show(byId('costs-done'), true);
            this.#draw();
          },
        },
      );
      this.#finish(output, times[level]);
    } catch (error) {
      byId('costs-text').textContent = wasCancelled(error) ? 'Cancelled.' : '';
      if (!wasCancelled(error)) alertUser(inWords(error));
    } finally {
      if (this.#running === running) {
        this.#running = undefined;
        show(byId('stop-measuring'), false);
      }
    }
  }

  #finish({ seedTime, seedSize }: CostsOutput, t: number): void {
    byId('costs-text').textContent = '';
    const best = this.#ways.filter(({ status }) => status === 'converged').sort((a, b) => a.time - b.time)[0];
    announce(
      best === undefined ? 'No way converged.' : `Measured. Fastest: ${best.way}, ${duration(best.time)}.`,
    );
    byId('costs-note').textContent =
      `The step to t = ${figure(t)}. Measured in the worker, wall time: the least of three means. The projection is on the ${seedSize} Krylov vectors of the system one level before; they took ${duration(seedTime)}, which is not in its bar. CG is meant for symmetric matrices, which this one is only where the field is flat; its residual says whether it got there all the same.`;
  }

  #draw(): void {
    const ways = this.#ways;
    const room = byId('bars').clientWidth;
    if (ways.length === 0 || room === 0) return;
    byId('bars').replaceChildren(bars(ways, room));
    byId('curves').replaceChildren(curves(ways, room));
    byId('costs-table')
      .querySelector('tbody')!
      .replaceChildren(...ways.map(tableRow));
  }
}

const names = (ways: readonly WayResult[]) => ways.map(({ way }) => way);

function bars(ways: readonly WayResult[], width: number): Element {
  const narrow = width < 520;
  const least = Math.min(...ways.map(({ time }) => time));
  const most = Math.max(...ways.map(({ time }) => time));
  const base = 10 ** Math.floor(Math.log10(least / 1.5));
  return Plot.plot({
    ariaLabel: 'Bar chart: time of a solve by way; the figures are in the table below',
    width,
    height: 34 + (narrow ? 44 : 28) * ways.length,
    marginLeft: narrow ? 4 : 188,
    marginRight: 84,
    marginBottom: 28,
    style: { fontSize: '13px', background: 'transparent' },
    x: {
      type: 'log',
      domain: [base, Math.max(most * 1.1, base * 10)],
      ticks: 5,
      tickFormat: '~g',
      label: null,
      grid: true,
    },
    y: { domain: names(ways), label: null, axis: narrow ? null : 'left', tickSize: 0 },
    marks: [
      Plot.barX(ways, {
        x1: base,
        x2: 'time',
        y: 'way',
        fill: ({ way }: WayResult) => colourOf(ways, way),
        fillOpacity: ({ status }: WayResult) => (status === 'converged' ? 1 : 0.3),
        insetTop: narrow ? 20 : 4,
        insetBottom: 4,
      }),
      Plot.text(ways, {
        x: 'time',
        y: 'way',
        text: ({ time, status }: WayResult) => (status === 'converged' ? duration(time) : status),
        textAnchor: 'start',
        dx: 6,
        dy: narrow ? 8 : 0,
      }),
      ...(narrow
        ? [Plot.text(ways, { x: base, y: 'way', text: 'way', textAnchor: 'start', dy: -10, dx: 1 })]
        : []),
    ],
  });
}

function curves(ways: readonly WayResult[], width: number): Element {
  const narrow = width < 520;
  const points = ways.flatMap(({ way, history }) => {
    const stride = Math.max(1, Math.ceil(history.length / CURVE_POINTS));
    return history
      .map((residual, iteration) => ({ way, iteration, residual }))
      .filter(
        ({ residual, iteration }) =>
          residual > 0 &&
          Number.isFinite(residual) &&
          (iteration % stride === 0 || iteration === history.length - 1),
      );
  });
  // One slow method must not press all others to the left border.
  const lengths = ways.filter(({ status }) => status === 'converged').map(({ history }) => history.length);
  const last = Math.max(4, ...lengths);
  return Plot.plot({
    ariaLabel:
      'Line chart: relative residual by iteration for each way; the last values are in the table below',
    width,
    height: narrow ? 300 : 340,
    marginLeft: 52,
    marginRight: 16,
    style: { fontSize: '13px', background: 'transparent' },
    color: { domain: names(ways), range: COLOURS, legend: true },
    x: {
      type: 'sqrt',
      domain: [0, last],
      label: null,
      ticks: narrow ? 5 : 8,
      tickFormat: 'd',
      grid: true,
    },
    y: {
      type: 'log',
      label: null,
      tickFormat: '.0e',
      ticks: 6,
      grid: true,
      domain: [COSTS_RTOL / 100, 10],
      clamp: true,
    },
    marks: [
      Plot.ruleY([COSTS_RTOL], { strokeDasharray: '4 3' }),
      Plot.line(points, {
        x: 'iteration',
        y: 'residual',
        z: 'way',
        stroke: 'way',
        strokeWidth: 1.75,
        clip: true,
      }),
      Plot.dot(
        points,
        Plot.selectLast({ x: 'iteration', y: 'residual', z: 'way', fill: 'way', r: 3, clip: true }),
      ),
    ],
  });
}

const colourOf = (ways: readonly WayResult[], name: string) =>
  COLOURS[names(ways).indexOf(name) % COLOURS.length];

function tableRow({ way, time, iterations, matvecs, residual, status }: WayResult): HTMLTableRowElement {
  const row = document.createElement('tr');
  const head = document.createElement('th');
  head.scope = 'row';
  head.textContent = way;
  row.append(head);
  for (const text of [duration(time), whole(iterations), whole(matvecs), residual.toExponential(1), status]) {
    row.insertCell().textContent = text;
  }
  return row;
}

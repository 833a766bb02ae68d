import { loadPeer } from '../../peers.ts';
import { html, Markup } from './html.ts';
import { power } from './words.ts';

/** A series of points, drawn as a line with marks. */
export interface Series {
  name: string;
  points: readonly { x: number; y: number }[];
}

export interface LinePlot {
  series: readonly Series[];
  x: string;
  y: string;
  logarithmic: boolean;
  /** A horizontal line with its name. */
  threshold?: { value: number; name: string };
  /** What the plot shows, for those who do not see it. */
  label: string;
}

export interface BarPlot {
  bars: readonly { name: string; value: number; text: string }[];
  x: string;
  label: string;
}

export interface ArrowPlot {
  /** Grid points (row, column), with the vector's components along rows (down) and columns (right). */
  arrows: readonly { row: number; column: number; down: number; right: number }[];
  shape: readonly [number, number];
  /** Rows and columns between arrows. */
  stride: number;
  /** A picture of the field beneath, as a data URI. */
  background: string;
  label: string;
}

/** Dashes tell series apart without colour. */
const DASHES = ['none', '6 3', '2 3', '8 3 2 3', '4 2', '1 2'];
export const MAX_SERIES = DASHES.length;

const colour = (k: number) => `var(--series-${k + 1})`;
const FONT = { fontSize: '13px', fontFamily: 'inherit', background: 'none', overflow: 'visible' };

/** Observable Plot with a document to draw into. */
async function loadPlot() {
  const Plot = await loadPeer('@observablehq/plot', 'to draw the report', () => import('@observablehq/plot'));
  const { parseHTML } = await loadPeer('linkedom', 'to draw the report', () => import('linkedom'));
  return { Plot, document: parseHTML('<!doctype html><html><body></body></html>').document };
}

/** The drawing is one image to a screen reader: its parts have no words of use. */
function asMarkup(svg: { outerHTML: string }, label: string): Markup {
  const opening = html`<svg role="img" aria-label="${label}" `;
  return new Markup(svg.outerHTML.replace('<svg ', () => opening.text));
}

function legend(series: readonly Series[]): Markup | undefined {
  if (series.length < 2) return undefined;
  return html`<ul class="legend">${series.map(
    ({ name }, k) =>
      html`<li><svg viewBox="0 0 26 11" aria-hidden="true"><line x1="0" x2="26" y1="5.5" y2="5.5" stroke="${colour(k)}" stroke-width="2" stroke-dasharray="${DASHES[k]}"/></svg>${name}</li>`,
  )}</ul>`;
}

/** An axis from a power of ten to another, with at most seven of them marked. */
function logarithmicAxis(values: readonly number[]) {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))));
  const stride = Math.ceil((last - first) / 6);
  const ticks = Array.from(
    { length: Math.floor((last - first) / stride) + 1 },
    (_, k) => 10 ** (first + k * stride),
  );
  return { type: 'log', domain: [10 ** first, 10 ** last], ticks, tickFormat: power } as const;
}

/** Lines over steps or iterations; at most {@link MAX_SERIES}. Points that a logarithmic axis cannot show are left out. */
export async function linePlot({ series, x, y, logarithmic, threshold, label }: LinePlot): Promise<Markup> {
  const { Plot, document } = await loadPlot();
  const shown = series.map(({ points }) =>
    points.filter((point) => Number.isFinite(point.y) && (!logarithmic || point.y > 0)),
  );
  const values = [
    ...shown.flat().map((point) => point.y),
    ...(threshold === undefined ? [] : [threshold.value]),
  ];
  if (shown.flat().length === 0) return html`<p class="note">No values to draw.</p>`;
  const svg = Plot.plot({
    document,
    width: 420,
    height: 265,
    marginLeft: 56,
    marginBottom: 42,
    marginRight: 12,
    style: FONT,
    x: {
      label: x,
      labelArrow: 'none',
      labelAnchor: 'center',
      tickFormat: (value: number) => (Number.isInteger(value) ? String(value) : ''),
      nice: false,
    },
    y: {
      label: y,
      labelArrow: 'none',
      grid: true,
      ...(logarithmic ? logarithmicAxis(values) : { zero: true, ticks: 5 }),
    },
    marks: [
      ...(threshold === undefined
        ? []
        : [
            Plot.ruleY([threshold.value], {
              stroke: 'currentColor',
              strokeOpacity: 0.6,
              strokeDasharray: '3 3',
            }),
            Plot.text([threshold.value], {
              y: (value: number) => value,
              text: () => threshold.name,
              frameAnchor: 'left',
              textAnchor: 'start',
              dx: 6,
              dy: 9,
              fill: 'currentColor',
            }),
          ]),
      ...shown.flatMap((points, k) => [
        Plot.lineY(points, {
          x: 'x',
          y: 'y',
          stroke: colour(k),
          strokeWidth: 1.75,
          strokeDasharray: DASHES[k],
        }),
        Plot.dot(points, { x: 'x', y: 'y', fill: colour(k), r: 2.75 }),
      ]),
    ],
  });
  return html`${legend(series)}${asMarkup(svg, label)}`;
}

/** Horizontal bars, in the order given, each with its value written out. */
export async function barPlot({ bars, x, label }: BarPlot): Promise<Markup> {
  const { Plot, document } = await loadPlot();
  const svg = Plot.plot({
    document,
    width: 420,
    height: 60 + 30 * bars.length,
    marginLeft: 12 + 7 * Math.max(...bars.map(({ name }) => name.length)),
    marginRight: 70,
    marginBottom: 42,
    style: FONT,
    x: { label: x, labelArrow: 'none', labelAnchor: 'center', grid: true, ticks: 5 },
    y: { label: null, domain: bars.map(({ name }) => name), padding: 0.3, tickSize: 0 },
    marks: [
      Plot.barX(bars, { x: 'value', y: 'name', fill: colour(0) }),
      Plot.text(bars, {
        x: 'value',
        y: 'name',
        text: 'text',
        textAnchor: 'start',
        dx: 6,
        fill: 'currentColor',
      }),
      Plot.ruleX([0], { stroke: 'currentColor' }),
    ],
  });
  return asMarkup(svg, label);
}

/** Arrows over a picture of the field; their length grows with the square root of the magnitude. */
export async function arrowPlot({ arrows, shape, stride, background, label }: ArrowPlot): Promise<Markup> {
  const { Plot, document } = await loadPlot();
  const [height, width] = shape;
  const side = 320;
  const pixels = { width: side, height: Math.round((side * height) / width) };
  const largest = Math.max(...arrows.map(({ down, right }) => Math.hypot(down, right)));
  const cell = (stride * side) / width;
  const length = ({ down, right }: { down: number; right: number }) =>
    largest === 0 ? 0 : 1.1 * cell * Math.sqrt(Math.hypot(down, right) / largest);
  const vector = {
    x: 'column',
    y: 'row',
    length,
    rotate: ({ down, right }: { down: number; right: number }) => (Math.atan2(right, -down) * 180) / Math.PI,
    anchor: 'middle' as const,
  };
  const svg = Plot.plot({
    document,
    ...pixels,
    margin: 0,
    style: FONT,
    axis: null,
    x: { domain: [-0.5, width - 0.5] },
    y: { domain: [-0.5, height - 0.5], reverse: false, range: [0, pixels.height] },
    length: { type: 'identity' },
    marks: [
      Plot.image([background], {
        src: (uri: string) => uri,
        frameAnchor: 'middle',
        ...pixels,
        preserveAspectRatio: 'none',
        imageRendering: 'pixelated',
      }),
      // A dark edge beneath a light arrow is seen on every colour of the map.
      Plot.vector(arrows, { ...vector, stroke: '#101418', strokeOpacity: 0.75, strokeWidth: 2.6 }),
      Plot.vector(arrows, { ...vector, stroke: '#ffffff', strokeWidth: 1.2 }),
    ],
  });
  return asMarkup(svg, label);
}

import { finiteRange } from '../../colormap.ts';
import type { NdArray, PrecomputeResult } from '../../diffusion/types.ts';
import { fieldToPng, pictureToPng } from '../field-image.ts';
import { dataUri, html, type Markup, picture } from './html.ts';
import { arrowPlot } from './plots.ts';
import { figure } from './words.ts';

type AnyArray = NdArray<Float32Array> | NdArray<Float64Array>;

/** The part of an array at the leading indices given. */
function part(array: AnyArray, ...at: number[]) {
  const { data, shape } = array;
  const rest = shape.slice(at.length);
  const length = rest.reduce((product, n) => product * n, 1);
  const offset = at.reduce((sum, index, axis) => sum * shape[axis] + index, 0) * length;
  return { data: data.subarray(offset, offset + length), shape: rest };
}

/** Small fields are enlarged, so that their points stay sharp squares on any screen. */
const enlarge = (width: number) => Math.min(64, Math.max(1, Math.ceil(160 / width)));

/** `wanted` indices from 0 to `count` - 1, evenly spread, both ends included. */
function spread(count: number, wanted: number): number[] {
  const n = Math.min(count, wanted);
  return Array.from({ length: n }, (_, k) => Math.round((k * (count - 1)) / Math.max(1, n - 1)));
}

async function colourBar(
  colormap: 'sequential' | 'diverging',
  [min, max]: readonly [number, number],
  unit: string,
) {
  const ramp = { data: Array.from({ length: 256 }, (_, k) => k), shape: [1, 256] };
  const png = await fieldToPng(ramp, { colormap, ...(colormap === 'diverging' ? { min: 0, max: 255 } : {}) });
  const ticks = [min, (min + max) / 2, max].map((value) => html`<span>${figure(value)}</span>`);
  return html`<div class="bar"><img src="${dataUri(png)}" alt="Colour scale from ${figure(min)} to ${figure(max)}">
<div class="ticks">${ticks}</div><div class="unit">${unit}</div></div>`;
}

function channelNote(channels: number): string {
  return channels === 3 ? ' Red channel.' : '';
}

/** A picture, and beside it what embedding made of it. */
export async function pictureFigures(
  pictures: AnyArray,
  embedded: AnyArray | undefined,
  image: number,
  name: string,
) {
  const scale = enlarge(pictures.shape[3]);
  const before = picture(
    await pictureToPng(part(pictures, image), { scale }),
    `${name}, as it went in`,
    embedded === undefined ? name : `${name}: as it went in`,
  );
  if (embedded === undefined) return before;
  const after = picture(
    await pictureToPng(part(embedded, image), { scale }),
    `${name}, embedded`,
    'embedded: moved by the score to the end time',
  );
  return html`<div class="pair">${before}${after}</div>`;
}

/** Five levels of one picture's log density on one colour scale. */
export async function densityMaps(
  { logDensity, report }: PrecomputeResult,
  image: number,
  name: string,
): Promise<Markup> {
  const levels = spread(logDensity.shape[1], 5);
  const fields = levels.map((level) => part(logDensity, image, level, 0));
  const ranges = fields.map(({ data }) => finiteRange(data));
  const range = [
    Math.min(...ranges.map(([low]) => low)),
    Math.max(...ranges.map(([, high]) => high)),
  ] as const;
  const maps = await Promise.all(
    fields.map(async (field, k) => {
      const t = figure(report.times[levels[k]]);
      const png = await fieldToPng(field, { min: range[0], max: range[1], scale: enlarge(field.shape[1]) });
      const [low, high] = ranges[k].map(figure);
      return picture(png, `Log density of ${name} at t = ${t}: from ${low} to ${high}`, `t = ${t}`);
    }),
  );
  return html`<h3>${name}</h3><div class="row maps">${maps}</div>
${await colourBar('sequential', range, `log density (natural logarithm).${channelNote(report.shape.channels)} One scale for all times.`)}`;
}

/** Score arrows over the log density, at three levels. */
async function arrowFigures({ logDensity, scores, report }: PrecomputeResult, image: number, name: string) {
  const { height, width, levels } = report.shape;
  const stride = Math.max(1, Math.ceil(Math.max(height, width) / 16));
  const first = Math.floor((stride - 1) / 2);
  return Promise.all(
    spread(levels, 3).map(async (level) => {
      const background = dataUri(await fieldToPng(part(logDensity, image, level, 0)));
      const [down, right] = [0, 1].map((axis) => part(scores, image, level, 0, axis).data);
      const arrows = [];
      let largest = 0;
      for (let row = first; row < height; row += stride) {
        for (let column = first; column < width; column += stride) {
          const k = row * width + column;
          if (!(Number.isFinite(down[k]) && Number.isFinite(right[k]))) continue;
          arrows.push({ row, column, down: down[k], right: right[k] });
          largest = Math.max(largest, Math.hypot(down[k], right[k]));
        }
      }
      const t = figure(report.times[level]);
      const label = `Score of ${name} at t = ${t}: ${arrows.length} arrows over the log density; the longest has magnitude ${figure(largest)}`;
      const drawing = await arrowPlot({ arrows, shape: [height, width], stride, background, label });
      return html`<figure class="plot">${drawing}<figcaption>t = ${t}; longest arrow: ${figure(largest)}</figcaption></figure>`;
    }),
  );
}

/** Scores of one component (`na2024`), at five levels, on one signed scale. */
async function componentMaps(
  { scores, report }: PrecomputeResult,
  image: number,
  name: string,
): Promise<Markup> {
  const levels = spread(scores.shape[1], 5);
  const fields = levels.map((level) => part(scores, image, level, 0));
  const max = Math.max(...fields.map(({ data }) => Math.max(...finiteRange(data).map(Math.abs))));
  const maps = await Promise.all(
    fields.map(async (field, k) => {
      const t = figure(report.times[levels[k]]);
      const [low, high] = finiteRange(field.data).map(figure);
      const png = await fieldToPng(field, { colormap: 'diverging', max, scale: enlarge(field.shape[1]) });
      return picture(png, `Score of ${name} at t = ${t}: from ${low} to ${high}`, `t = ${t}`);
    }),
  );
  return html`<div class="row maps">${maps}</div>
${await colourBar('diverging', [-max, max], `score, per unit of the grid spacing.${channelNote(report.shape.channels)} One scale for all times.`)}`;
}

/** The scores of one picture, as arrows, or as a signed map where they have one component. */
export async function scoreFigures(result: PrecomputeResult, image: number, name: string): Promise<Markup> {
  const drawing =
    result.scores.shape.length === 5
      ? await componentMaps(result, image, name)
      : html`<div class="row arrows">${await arrowFigures(result, image, name)}</div>`;
  return html`<h3>${name}</h3>${drawing}`;
}

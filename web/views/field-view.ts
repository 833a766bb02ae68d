import { colourAt, finiteRange } from '../../src/colormap.ts';
import type { PrecomputeOutput } from '../compute/precompute.ts';
import { announce, byId, context2d, fitToScreen } from '../dom.ts';
import { figure } from '../figures.ts';

type Quantity = 'density' | 'score';

const NAMES: Readonly<Record<Quantity, string>> = { density: 'Log density', score: 'Length of the score' };
/** Arrows along the longer side. */
const ARROWS = 22;

/** Log density and score of one time, as a heat map with arrows, and the value under the mark. */
export class FieldView {
  readonly #map = byId<HTMLCanvasElement>('field');
  readonly #over = byId<HTMLCanvasElement>('arrows');
  readonly #time = byId<HTMLInputElement>('time');
  readonly #quantity = byId<HTMLSelectElement>('quantity');
  readonly #span = byId<HTMLSelectElement>('span');
  readonly #arrows = byId<HTMLInputElement>('show-arrows');
  #result: PrecomputeOutput | undefined;
  /** Row and column of the mark. */
  #mark: { row: number; column: number } | undefined;

  constructor() {
    this.#time.addEventListener('input', () => this.#draw());
    for (const element of [this.#quantity, this.#span, this.#arrows])
      element.addEventListener('change', () => this.#draw());
    this.#over.addEventListener('pointermove', (event) => this.#point(event));
    this.#over.addEventListener('pointerdown', (event) => this.#point(event));
    this.#over.addEventListener('pointerleave', () => this.#moveMark(undefined));
    this.#over.addEventListener('keydown', (event) => this.#press(event));
    new ResizeObserver(() => this.#drawOver()).observe(this.#over);
    drawColours();
  }

  /** Index of the time shown. */
  get level(): number {
    return Number(this.#time.value);
  }

  get map(): HTMLCanvasElement {
    return this.#map;
  }

  show(result: PrecomputeOutput): void {
    this.#result = result;
    const { height, width, times, components } = result;
    byId('field-stage').style.aspectRatio = `${width} / ${height}`;
    this.#time.max = String(times.length - 1);
    this.#time.value = '0';
    this.#arrows.disabled = components === 1;
    this.#mark = undefined;
    this.#draw();
  }

  #draw(): void {
    const result = this.#result;
    if (result === undefined) return;
    const { height, width, times } = result;
    const quantity = this.#quantity.value as Quantity;
    const { level } = this;
    const values = valuesOf(result, quantity, level);
    const [least, most] =
      this.#span.value === 'level'
        ? finiteRange(values)
        : times.reduce<[number, number]>(
            ([low, high], _, k) => {
              const [l, h] = finiteRange(valuesOf(result, quantity, k));
              return [Math.min(low, l), Math.max(high, h)];
            },
            [Infinity, -Infinity],
          );
    paint(this.#map, values, height, width, least, most);
    const text = `t = ${figure(times[level])}, ${level + 1} of ${times.length}`;
    byId('time-text').textContent = text;
    this.#time.setAttribute('aria-valuetext', text);
    byId('least').textContent = figure(least);
    byId('most').textContent = figure(most);
    this.#over.setAttribute(
      'aria-label',
      `${NAMES[quantity]} at ${text}, from ${figure(least)} to ${figure(most)}; the arrow keys move a mark over the grid, Escape takes it away`,
    );
    this.#drawOver();
    this.#read();
  }

  #drawOver(): void {
    const result = this.#result;
    if (result === undefined) return;
    const { height, width, components } = result;
    fitToScreen(this.#over, height, width);
    const context = context2d(this.#over);
    const cell = this.#over.width / width;
    context.clearRect(0, 0, this.#over.width, this.#over.height);
    if (components === 2 && this.#arrows.checked) drawArrows(context, result, this.level, cell);
    if (this.#mark === undefined) return;
    const { row, column } = this.#mark;
    for (const [colour, line] of [
      ['#000', 3],
      ['#fff', 1.25],
    ] as const) {
      context.strokeStyle = colour;
      context.lineWidth = line * Math.max(1, this.#over.width / this.#over.clientWidth);
      context.strokeRect(column * cell, row * cell, cell, cell);
    }
  }

  #point(event: PointerEvent): void {
    if (this.#result === undefined) return;
    const { height, width } = this.#result;
    const box = this.#over.getBoundingClientRect();
    const inside = (share: number, count: number) =>
      Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    this.#moveMark({
      row: inside((event.clientY - box.top) / box.height, height),
      column: inside((event.clientX - box.left) / box.width, width),
    });
  }

  #press(event: KeyboardEvent): void {
    if (this.#result === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const { height, width } = this.#result;
    if (event.key === 'Escape') {
      this.#moveMark(undefined);
      return;
    }
    const step = event.shiftKey ? 8 : 1;
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const from = this.#mark ?? { row: Math.floor(height / 2), column: Math.floor(width / 2) };
    const within = (value: number, count: number) => Math.min(count - 1, Math.max(0, value));
    this.#moveMark({
      row: within(from.row + step * move[0], height),
      column: within(from.column + step * move[1], width),
    });
    announce(byId('reading').textContent ?? '');
  }

  #moveMark(mark: { row: number; column: number } | undefined): void {
    this.#mark = mark;
    this.#drawOver();
    this.#read();
  }

  #read(): void {
    const result = this.#result;
    const reading = byId('reading');
    if (result === undefined || this.#mark === undefined) {
      reading.textContent = 'Point at the map, or focus it and use the arrow keys.';
      return;
    }
    const { height, width, components, logDensity, scores } = result;
    const { row, column } = this.#mark;
    const n = height * width;
    const at = row * width + column;
    const { level } = this;
    const score =
      components === 1
        ? figure(scores[level * n + at])
        : `${figure(scores[2 * level * n + at])} down, ${figure(scores[(2 * level + 1) * n + at])} right`;
    reading.textContent = [
      `Row ${row}, column ${column}`,
      `log density ${figure(logDensity[level * n + at])}`,
      `score ${score}`,
    ].join('\n');
  }
}

function valuesOf(result: PrecomputeOutput, quantity: Quantity, level: number): Float64Array {
  const { height, width, logDensity, scores, components } = result;
  const n = height * width;
  if (quantity === 'density') return logDensity.subarray(level * n, (level + 1) * n);
  const from = components * level * n;
  return components === 1
    ? scores.slice(from, from + n).map(Math.abs)
    : scores.slice(from, from + n).map((value, k) => Math.hypot(value, scores[from + n + k]));
}

function paint(
  canvas: HTMLCanvasElement,
  values: Float64Array,
  height: number,
  width: number,
  least: number,
  most: number,
): void {
  canvas.height = height;
  canvas.width = width;
  const context = context2d(canvas);
  const image = context.createImageData(width, height);
  const scale = most > least ? 1 / (most - least) : 0;
  values.forEach((value, k) => {
    const t = Number.isFinite(value) ? (scale === 0 ? 0.5 : (value - least) * scale) : Number.NaN;
    image.data.set([...colourAt('sequential', t), 255], 4 * k);
  });
  context.putImageData(image, 0, 0);
}

/** Arrows at the middles of blocks of cells; the longest twentieth are drawn as long as a block. */
function drawArrows(
  context: CanvasRenderingContext2D,
  { height, width, scores }: PrecomputeOutput,
  level: number,
  cell: number,
): void {
  const n = height * width;
  const [down, right] = [2 * level * n, (2 * level + 1) * n];
  const block = Math.max(1, Math.ceil(Math.max(height, width) / ARROWS));
  const places: { x: number; y: number; u: number; v: number; length: number }[] = [];
  for (let i = block >> 1; i < height; i += block) {
    for (let j = block >> 1; j < width; j += block) {
      const [v, u] = [scores[down + i * width + j], scores[right + i * width + j]];
      const length = Math.hypot(u, v);
      if (length > 0 && length < Infinity)
        places.push({ x: (j + 0.5) * cell, y: (i + 0.5) * cell, u, v, length });
    }
  }
  if (places.length === 0) return;
  const lengths = places.map(({ length }) => length).sort((a, b) => a - b);
  const longest = lengths[Math.floor(0.95 * (lengths.length - 1))];
  const reach = 0.95 * block * cell;
  const path = new Path2D();
  for (const { x, y, u, v, length } of places) {
    const size = reach * Math.min(1, length / longest);
    if (size < 2) continue;
    const [dx, dy] = [u / length, v / length];
    const [tipX, tipY] = [x + (dx * size) / 2, y + (dy * size) / 2];
    path.moveTo(x - (dx * size) / 2, y - (dy * size) / 2);
    path.lineTo(tipX, tipY);
    const head = Math.min(0.4 * size, 0.3 * reach);
    for (const side of [-1, 1]) {
      path.moveTo(tipX, tipY);
      path.lineTo(tipX - head * (dx + 0.6 * side * dy), tipY - head * (dy - 0.6 * side * dx));
    }
  }
  const line = Math.max(1, context.canvas.width / context.canvas.clientWidth);
  context.lineCap = 'round';
  // Dark under light: seen on any colour of the map.
  context.strokeStyle = 'rgb(0 0 0 / 0.55)';
  context.lineWidth = 2.75 * line;
  context.stroke(path);
  context.strokeStyle = '#fff';
  context.lineWidth = 1.1 * line;
  context.stroke(path);
}

function drawColours(): void {
  const canvas = byId<HTMLCanvasElement>('colours');
  paint(
    canvas,
    Float64Array.from({ length: 256 }, (_, k) => k),
    1,
    256,
    0,
    255,
  );
}

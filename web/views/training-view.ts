import * as Plot from '@observablehq/plot';
import type { Likeness, TrainingMethod, TrainingNews, TrainingOutput } from '../compute/training.ts';
import { alertUser, announce, byId, context2d, show } from '../dom.ts';
import { figure, whole } from '../figures.ts';
import type { SourcePicker } from '../source.ts';
import { inWords, wasCancelled } from '../words.ts';
import { WorkerClient } from '../worker-client.ts';

/** Side of the pictures that are trained on. */
const SIDE = 32;
const COLOURS: Readonly<Record<TrainingMethod, string>> = { 'score embedding': '#d55e00', DDPM: '#0072b2' };
const METHODS = Object.keys(COLOURS) as TrainingMethod[];
/** Names of the pictures that are shown, in their order. */
const SHOWN = ['picture', 'noisy', 'blurred', ...METHODS] as const;

type Loss = TrainingNews & { kind: 'loss' };
type Sample = TrainingNews & { kind: 'sample' };

/** A small training run: both methods in turn, by the same clock. */
export class TrainingView {
  readonly #client = new WorkerClient();
  readonly #picker: SourcePicker;
  readonly #settings: () => { seconds: number; seed: number };
  #losses: Loss[] = [];
  #samples: Sample[] = [];
  #baselines: { name: string; ssim: number }[] = [];
  #running: AbortController | undefined;
  #drawing: number | undefined;

  constructor(picker: SourcePicker, settings: () => { seconds: number; seed: number }) {
    this.#picker = picker;
    this.#settings = settings;
    byId('train').addEventListener('click', () => void this.#train());
    byId('stop-training').addEventListener('click', () => this.#running?.abort());
    new ResizeObserver(() => this.#drawLater()).observe(byId('losses'));
  }

  /** A second start ends the first. */
  async #train(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    const { signal } = running;
    const { seconds, seed } = this.#settings();
    alertUser(undefined);
    this.#say('Loading TensorFlow.js, and pre-computing the scores.', 0);
    show(byId('stop-training'), true);
    try {
      const source = await this.#picker.load(SIDE);
      signal.throwIfAborted();
      if (source.kind !== 'picture')
        throw new Error(
          'training is for pictures; what is chosen are points, whose score is known without it',
        );
      const { picture } = source;
      this.#begin(picture.data);
      const output = await this.#client.run(
        'train',
        { picture, seconds, seed },
        { signal, news: (news) => this.#take(news, seconds) },
      );
      this.#finish(output);
    } catch (error) {
      if (this.#running === running)
        this.#say(wasCancelled(error) ? 'Cancelled; what was drawn stays.' : '', undefined);
      if (!wasCancelled(error)) alertUser(inWords(error));
    } finally {
      if (this.#running === running) {
        this.#running = undefined;
        show(byId('stop-training'), false);
        show(byId('training-progress'), false);
      }
    }
  }

  #begin(picture: Float32Array): void {
    this.#losses = [];
    this.#samples = [];
    this.#baselines = [];
    for (const name of SHOWN) this.#showPicture(name, undefined, '');
    this.#showPicture('picture', picture, '');
    show(byId('training-done'), true);
  }

  #say(text: string, share: number | undefined): void {
    byId('training-text').textContent = text;
    const bar = byId<HTMLProgressElement>('training-bar');
    show(byId('training-progress'), share !== undefined);
    if (share === 0) bar.removeAttribute('value');
    else if (share !== undefined) bar.value = share;
  }

  #take(news: TrainingNews, seconds: number): void {
    if (news.kind === 'ready') {
      this.#showLikeness('noisy', news.noisy);
      this.#showLikeness('blurred', news.blurred);
      this.#baselines = [
        { name: 'noisy', ssim: news.noisy.ssim },
        { name: 'blurred', ssim: news.blurred.ssim },
      ];
      byId('training-size').textContent = `${whole(news.parameters)} weights each.`;
    } else if (news.kind === 'loss') {
      this.#losses.push(news);
      this.#say(`${news.seconds.toFixed(1)} of ${seconds} s`, Math.min(1, news.seconds / seconds) || 0.001);
    } else {
      this.#samples.push(news);
      this.#showLikeness(news.method, news.sample);
    }
    this.#drawLater();
  }

  #finish({ methods }: TrainingOutput): void {
    const parts = methods.map(({ method, status, steps, seconds }) => {
      const last = this.#samples.filter((sample) => sample.method === method).at(-1);
      const ending = status === 'completed' ? '' : ` (${status})`;
      return `${method}: ${whole(steps)} steps in ${seconds.toFixed(1)} s${ending}, similarity ${figure(last?.sample.ssim ?? Number.NaN)}`;
    });
    this.#say(`${parts.join('; ')}.`, undefined);
    announce(`Training done. ${parts.join('; ')}.`);
  }

  #showLikeness(name: (typeof SHOWN)[number], { pixels, ssim, psnr }: Likeness): void {
    this.#showPicture(name, pixels, `SSIM ${ssim.toFixed(3)}, ${psnr.toFixed(1)} dB`);
  }

  #showPicture(name: (typeof SHOWN)[number], pixels: Float32Array | undefined, text: string): void {
    const place = byId(`training-${name.replace(' ', '-')}`);
    const canvas = place.querySelector('canvas')!;
    canvas.width = canvas.height = SIDE;
    place.querySelector('small')!.textContent = text;
    canvas.setAttribute(
      'aria-label',
      `${place.querySelector('span')!.textContent}: ${text || (pixels ? 'as it is' : 'not yet')}`,
    );
    if (pixels === undefined) return;
    const context = context2d(canvas);
    const image = context.createImageData(SIDE, SIDE);
    pixels.forEach((value, k) => {
      const grey = Math.round(255 * value);
      image.data.set([grey, grey, grey, 255], 4 * k);
    });
    context.putImageData(image, 0, 0);
  }

  /** Charts once a frame, however much news there is. */
  #drawLater(): void {
    this.#drawing ??= requestAnimationFrame(() => {
      this.#drawing = undefined;
      this.#draw();
    });
  }

  #draw(): void {
    const width = byId('losses').clientWidth;
    if (width === 0 || this.#losses.length === 0) return;
    byId('losses').replaceChildren(lossChart(this.#losses, width));
    byId('similarities').replaceChildren(similarityChart(this.#samples, this.#baselines, width));
  }
}

const shared = (width: number) => ({
  width,
  height: 240,
  marginLeft: 52,
  marginRight: 16,
  style: { fontSize: '13px', background: 'transparent' },
  color: { domain: METHODS, range: METHODS.map((method) => COLOURS[method]) },
});

function lossChart(losses: readonly Loss[], width: number): Element {
  return Plot.plot({
    ...shared(width),
    ariaLabel: 'Line chart: loss by seconds of training, one line a method',
    color: { ...shared(width).color, legend: true },
    x: { label: null, grid: true },
    y: { type: 'log', label: null, grid: true, ticks: 4, tickFormat: '~g' },
    marks: [Plot.line(losses, { x: 'seconds', y: 'loss', z: 'method', stroke: 'method', strokeWidth: 1.75 })],
  });
}

function similarityChart(
  samples: readonly Sample[],
  baselines: readonly { name: string; ssim: number }[],
  width: number,
): Element {
  const values = samples.map(({ method, seconds, sample }) => ({ method, seconds, ssim: sample.ssim }));
  return Plot.plot({
    ...shared(width),
    ariaLabel:
      'Line chart: similarity of samples to the picture by seconds of training, one line a method; dashed, the noisy picture and its best blur',
    x: { label: null, grid: true },
    y: { label: null, grid: true, ticks: 5, domain: [0, 1] },
    marks: [
      Plot.ruleY(baselines, { y: 'ssim', strokeDasharray: '4 3', strokeOpacity: 0.7 }),
      Plot.text(baselines, {
        y: 'ssim',
        text: 'name',
        frameAnchor: 'left',
        textAnchor: 'start',
        dx: 4,
        dy: -8,
      }),
      Plot.line(values, { x: 'seconds', y: 'ssim', z: 'method', stroke: 'method', strokeWidth: 1.75 }),
      Plot.dot(values, { x: 'seconds', y: 'ssim', fill: 'method', r: 3 }),
    ],
  });
}

import type { Source } from './compute/precompute.ts';
import { byId, context2d } from './dom.ts';
import { decodePicture } from './input/picture.ts';
import { pointSet } from './point-sets.ts';
import { isPointSet, PHOTOGRAPHS, type Photograph, POINT_SETS, SAMPLES, type Sample } from './samples.ts';
import { DEFAULT_SAMPLE, OWN, type Settings } from './settings.ts';

/** A CSV larger than that is refused before it is read. */
const MOST_CSV = 64e6;

const looksLikePoints = ({ name, type }: File) => /\.(csv|tsv|txt)$/i.test(name) || type.startsWith('text/');

/** What is chosen to be diffused: a sample, or a file of the user's. */
export class SourcePicker {
  readonly #changed: () => void;
  #file: File | undefined;
  #sample: Sample = DEFAULT_SAMPLE;

  /** @param changed - called when something else was chosen, after the constructor */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.#makeSamples();
    this.#takeFiles();
    this.#describe();
  }

  get name(): Settings['source'] {
    return this.#file === undefined ? this.#sample : OWN;
  }

  /** For names of downloads. */
  get stem(): string {
    return this.#file?.name.replace(/\.\w+$/, '') ?? this.#sample;
  }

  choose(sample: Sample): void {
    this.#file = undefined;
    this.#sample = sample;
    for (const input of byId('samples').querySelectorAll('input')) input.checked = input.value === sample;
    this.#describe();
  }

  /** @throws SeedspanError for a file that cannot be used */
  async load(size: number): Promise<Source> {
    const file = this.#file;
    if (file !== undefined && looksLikePoints(file)) {
      if (file.size > MOST_CSV)
        throw new Error(
          `${file.name} has ${Math.round(file.size / 1e6)} MB, over the page’s limit of ${MOST_CSV / 1e6} MB`,
        );
      return { kind: 'csv', name: file.name, bytes: await file.arrayBuffer() };
    }
    if (file !== undefined) return { kind: 'picture', picture: await decodePicture(file, file.name, size) };
    if (isPointSet(this.#sample)) return { kind: 'set', name: this.#sample };
    const response = await fetch(new URL(`samples/${this.#sample}.jpg`, document.baseURI));
    if (!response.ok) throw new Error(`the sample ${this.#sample} is not there (${response.status})`);
    return { kind: 'picture', picture: await decodePicture(await response.blob(), this.#sample, size) };
  }

  #makeSamples(): void {
    const group = byId('samples');
    for (const sample of SAMPLES) {
      const label = document.createElement('label');
      const input = document.createElement('input');
      const title = isPointSet(sample) ? POINT_SETS[sample] : PHOTOGRAPHS[sample];
      Object.assign(input, {
        type: 'radio',
        name: 'sample',
        value: sample,
        checked: sample === this.#sample,
      });
      input.setAttribute('aria-label', title);
      label.title = title;
      input.addEventListener('change', () => {
        this.choose(sample);
        this.#changed();
      });
      label.append(input, isPointSet(sample) ? sketch(sample) : thumbnail(sample));
      group.append(label);
    }
  }

  #takeFiles(): void {
    const input = byId<HTMLInputElement>('file');
    const drop = byId('drop');
    const take = (file: File | undefined | null) => {
      if (!file) return;
      this.#file = file;
      for (const radio of byId('samples').querySelectorAll('input')) radio.checked = false;
      this.#describe();
      this.#changed();
    };
    input.addEventListener('change', () => {
      take(input.files?.[0]);
      // The same file, chosen again after it was changed, is another.
      input.value = '';
    });
    const mark = (over: boolean) => drop.classList.toggle('over', over);
    // Over the whole page: a file that misses the box must not replace the page.
    document.addEventListener('dragover', (event) => {
      event.preventDefault();
      mark(true);
    });
    document.addEventListener('dragleave', (event) => mark(event.relatedTarget !== null));
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      mark(false);
      take(event.dataTransfer?.files[0]);
    });
  }

  #describe(): void {
    const sample = this.#sample;
    byId('picked').textContent =
      this.#file !== undefined
        ? `${this.#file.name}. It stays on this machine.`
        : isPointSet(sample)
          ? `${POINT_SETS[sample]}: 4,000 points.`
          : `${PHOTOGRAPHS[sample]}, in grey.`;
  }
}

function thumbnail(sample: Photograph): HTMLImageElement {
  const image = document.createElement('img');
  image.src = `samples/${sample}.jpg`;
  image.alt = '';
  return image;
}

function sketch(sample: Exclude<Sample, Photograph>): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 96;
  const { data } = pointSet(sample, 600);
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  data.forEach((value, k) => {
    low[k % 2] = Math.min(low[k % 2], value);
    high[k % 2] = Math.max(high[k % 2], value);
  });
  const scale = 82 / Math.max(high[0] - low[0], high[1] - low[1]);
  const place = (value: number, axis: 0 | 1) => 48 + scale * (value - 0.5 * (low[axis] + high[axis]));
  const context = context2d(canvas);
  context.fillStyle = '#222';
  for (let k = 0; k < data.length; k += 2)
    context.fillRect(place(data[k + 1], 1), place(data[k], 0), 1.6, 1.6);
  return canvas;
}

import { supportsBuild } from '../src/index.ts';
import type { PrecomputeNews, PrecomputeOutput } from './compute/precompute.ts';
import { alertUser, announce, byId, show } from './dom.ts';
import { saveNpy, savePng } from './downloads.ts';
import { duration, whole } from './figures.ts';
import { onFormChange, readForm, writeForm } from './form.ts';
import { fromHash, OWN, problemOf, type Settings, toHash } from './settings.ts';
import { SourcePicker } from './source.ts';
import { CostsView } from './views/costs-view.ts';
import { FieldView } from './views/field-view.ts';
import { TrainingView } from './views/training-view.ts';
import { TravelView } from './views/travel-view.ts';
import { inWords, wasCancelled } from './words.ts';
import { WorkerClient } from './worker-client.ts';

const STAGES: Readonly<Record<PrecomputeNews['stage'], string>> = {
  density: 'density',
  solve: 'solving',
  field: 'field of the points',
};
/** Settings of the points alone, which need no new pre-computation. */
const POINTS_ONLY = ['points', 'frames', 'way', 'draw'];

const client = new WorkerClient();
const picker = new SourcePicker(settingsChanged);
const fieldView = new FieldView();
const travelView = new TravelView((error) => alertUser(inWords(error)));
const costsView = new CostsView(client, () => fieldView.level);
new TrainingView(picker, () => current());
let running: AbortController | undefined;
let result: PrecomputeOutput | undefined;
/** Of the names of downloads: what the result is of, whatever was chosen since. */
let stem = '';

const current = () => readForm(picker.name);

function settingsChanged(): void {
  const settings = current();
  const hash = toHash(settings);
  const link = new URL(location.href);
  link.hash = hash;
  history.replaceState(null, '', hash === '' ? location.pathname + location.search : link.hash);
  byId<HTMLInputElement>('link').value = hash === '' ? link.href.replace(/#$/, '') : link.href;
  byId('link-lead').textContent =
    settings.source === OWN
      ? 'The link holds all settings, but not your file: whoever opens it sees the default sample.'
      : 'The link holds all settings, and the sample’s name.';
}

/** A second start ends the first, with everything that hangs on it. */
async function run(): Promise<void> {
  const settings = current();
  const problem = problemOf(settings);
  running?.abort();
  alertUser(problem);
  if (problem !== undefined) return;
  const controller = new AbortController();
  running = controller;
  const { signal } = controller;
  costsView.cancel();
  progress('reading the input', undefined);
  try {
    const source = await picker.load(settings.size);
    signal.throwIfAborted();
    const output = await client.run(
      'precompute',
      { source, settings },
      { signal, news: ({ stage, done, total }) => progress(STAGES[stage], total > 0 ? done / total : 0) },
    );
    showResult(output, settings);
  } catch (error) {
    if (running !== controller) return;
    if (wasCancelled(error)) announce('Cancelled.');
    else alertUser(inWords(error));
  } finally {
    if (running === controller) {
      running = undefined;
      progress(undefined, 0);
    }
  }
}

function progress(stage: string | undefined, share: number | undefined): void {
  show(byId('progress-row'), stage !== undefined);
  show(byId('cancel'), stage !== undefined);
  const bar = byId<HTMLProgressElement>('progress');
  if (share === undefined) bar.removeAttribute('value');
  else bar.value = share;
  byId('progress-text').textContent = stage === undefined ? '' : stage;
}

function showResult(output: PrecomputeOutput, settings: Settings): void {
  result = output;
  stem = `${picker.stem}-${settings.size}`;
  const text = summary(output, settings);
  byId('summary').textContent = text;
  show(byId('empty'), false);
  show(byId('computed'), true);
  fieldView.show(output);
  costsView.show(output, settings);
  announce(`Done. ${text}`);
  void travelView.show(output, { ...settings, ...pointsOf(current()) });
}

const pointsOf = ({ points, frames, way, draw }: Settings) => ({ points, frames, way, draw });

function summary(
  { report, height, width, times, count, fieldTime }: PrecomputeOutput,
  settings: Settings,
): string {
  const { status, time, iterations, build, peclet } = report;
  const ending = {
    converged: `to ${settings.tolerance.toExponential(0).replace('-', '−')}`,
    'max-iterations': 'not all levels to the tolerance: the most iterations were reached',
    stagnated: 'not all levels to the tolerance: the loop stagnated',
    breakdown: 'some levels broke down',
    'non-finite': 'numbers overflowed',
  }[status];
  const parts = [
    `Scheme ${report.scheme}, ${report.sde}, ${whole(times.length)} levels of ${height} × ${width}${count === undefined ? '' : `, from ${whole(count)} points`}, ${ending}: ${duration(time.total)}, ${whole(iterations)} iterations, build ${build}.`,
    `The field of the points: ${duration(fieldTime)}.`,
  ];
  if (peclet !== undefined && peclet.cells > 0) {
    const share = Math.max(1, Math.round((100 * peclet.cells) / peclet.of));
    parts.push(`${share} % of the cells are steep (Péclet number over 1): differences are coarse there.`);
  }
  return parts.join(' ');
}

function connect(): void {
  byId('controls').addEventListener('submit', (event) => {
    event.preventDefault();
    void run();
  });
  byId('cancel').addEventListener('click', () => running?.abort());
  onFormChange((name) => {
    settingsChanged();
    if (POINTS_ONLY.includes(name)) void travelView.set({ ...current() });
  });
  window.addEventListener('hashchange', () => restore(fromHash(location.hash)));
  byId('copy').addEventListener('click', () => void copyLink());
  const onSave = (id: string, save: (output: PrecomputeOutput) => void | Promise<void>) =>
    byId(id).addEventListener('click', () => {
      if (result === undefined) return;
      Promise.resolve(result)
        .then(save)
        .catch((error: unknown) => alertUser(inWords(error)));
    });
  onSave('save-density', ({ logDensity, times, height, width }) =>
    saveNpy(`${stem}-log-density.npy`, logDensity, [times.length, height, width]),
  );
  onSave('save-scores', ({ scores, times, components, height, width }) =>
    saveNpy(
      `${stem}-scores.npy`,
      scores,
      components === 1 ? [times.length, height, width] : [times.length, 2, height, width],
    ),
  );
  onSave('save-field', () => savePng(`${stem}-field-${fieldView.level}.png`, fieldView.map));
  onSave('save-points', () => {
    const { points } = travelView;
    if (points !== undefined) saveNpy(`${stem}-points.npy`, points, [points.length / 2, 2]);
  });
  onSave('save-dots', () => savePng(`${stem}-points.png`, travelView.canvas));
}

async function copyLink(): Promise<void> {
  const input = byId<HTMLInputElement>('link');
  input.select();
  try {
    await navigator.clipboard.writeText(input.value);
    announce('The link is copied.');
    byId('copy').textContent = 'Copied';
  } catch {
    // Not allowed, or no secure page: the text is selected for the user's own copy.
    announce('The link is selected; copy it by the keyboard.');
  }
}

function restore({ settings, refused }: ReturnType<typeof fromHash>): void {
  writeForm(settings);
  if (settings.source !== OWN) picker.choose(settings.source);
  settingsChanged();
  if (refused.length > 0)
    alertUser(`The link has what this page does not know, and that was left out: ${refused.join(', ')}.`);
}

connect();
restore(fromHash(location.hash));
byId('kernel').textContent = supportsBuild('simd')
  ? 'Computes with WebAssembly SIMD.'
  : supportsBuild('scalar')
    ? 'This browser’s WebAssembly has no SIMD: the scalar build of the kernel is used, and is slower.'
    : 'This browser has no WebAssembly; nothing can be computed.';

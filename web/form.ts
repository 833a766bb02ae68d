import { byId } from './dom.ts';
import { DEFAULTS, type Settings, schemeSettings } from './settings.ts';

const NUMBERS = ['size', 'sigma', 'levels', 'tolerance', 'points', 'frames', 'seconds', 'seed'] as const;
const TEXTS = ['scheme', 'equation', 'way', 'ink', 'draw'] as const;

const SCHEME_HINTS: Readonly<Record<Settings['scheme'], string>> = {
  consistent: 'The equation, discretised to second order in space, with reflecting borders.',
  lau2025: 'As the program of arXiv 2511.17634 does it, to rounding error.',
  na2024:
    'As the program of arXiv 2404.06661 does it, to rounding error. It does not discretise the equation; its score is one difference a point, so there are no arrows.',
};

const control = (name: string) => byId<HTMLInputElement | HTMLSelectElement>(name);

/** What the controls say; numbers as they stand, right or wrong. */
export function readForm(source: Settings['source']): Settings {
  const settings: Record<string, unknown> = { ...DEFAULTS, source };
  for (const name of NUMBERS)
    settings[name] = control(name).value === '' ? Number.NaN : Number(control(name).value);
  for (const name of TEXTS) settings[name] = control(name).value;
  return settings as unknown as Settings;
}

export function writeForm(settings: Settings): void {
  for (const name of [...NUMBERS, ...TEXTS]) {
    const element = control(name);
    const wanted = settings[name];
    if (element instanceof HTMLSelectElement) {
      const option = [...element.options].find(({ value }) => value === wanted || Number(value) === wanted);
      if (option !== undefined) element.value = option.value;
    } else element.value = String(wanted);
  }
  showDependent();
}

/** Tells of each change; a change of the scheme brings the settings that it was published with. */
export function onFormChange(changed: (name: string) => void): void {
  for (const name of [...NUMBERS, ...TEXTS]) {
    control(name).addEventListener('change', () => {
      if (name === 'scheme') {
        const { equation, sigma, levels } = schemeSettings(control('scheme').value as Settings['scheme']);
        control('equation').value = equation;
        control('sigma').value = String(sigma);
        control('levels').value = String(levels);
      }
      showDependent();
      changed(name);
    });
  }
}

function showDependent(): void {
  const scheme = control('scheme').value as Settings['scheme'];
  byId('scheme-hint').textContent = SCHEME_HINTS[scheme];
  control('sigma').disabled = control('equation').value === 'vp';
}

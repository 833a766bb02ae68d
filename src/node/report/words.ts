import type { PrecomputeReport, SharingDecision } from '../../diffusion/types.ts';
import type { SolveStatus } from '../../solver/types.ts';

/** 12345 -> `12,345`. */
export function count(value: number): string {
  return value.toLocaleString('en-GB');
}

/** `1 picture`, `3 pictures`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Milliseconds, in a unit that suits. */
export function duration(milliseconds: number): string {
  if (milliseconds >= 60_000)
    return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toPrecision(3)} s`;
  return `${milliseconds >= 10 ? milliseconds.toFixed(0) : milliseconds.toPrecision(2)} ms`;
}

/** Four significant digits, without needless zeros. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(4))).replaceAll('-', '−');
}

/** 1e-6 -> `1e-6`, for powers of ten on an axis. */
export function power(value: number): string {
  return value.toExponential(0);
}

/** A small number such as a residual. */
export function tiny(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}

/** What was shared among pictures and time levels, in sentences, of which `most` are given. */
export function decisionTexts(
  decisions: readonly SharingDecision[],
  names: readonly string[],
  most: number,
): string[] {
  const texts = decisions.slice(0, most).map(({ level, image, operators, served, reason }) => {
    if (operators === 0) return `none was shared: ${reason}.`;
    const made = operators === 1 ? 'made once,' : `made ${count(operators)} times, first`;
    return `${made} at level ${level} of ${names[image]}, for ${plural(served, 'step')}: ${reason}.`;
  });
  const more = decisions.length - texts.length;
  return more > 0 ? [...texts, `and so on, ${plural(more, 'time')} more: see the run's data.`] : texts;
}

const STATUS: Readonly<Record<SolveStatus, string>> = {
  converged: 'Converged: every fixed-point iteration and every linear solve met its tolerance.',
  'max-iterations':
    'Not converged: some iterations reached their limit before the tolerance. The results below are the last iterates; use them with care.',
  stagnated:
    'Not converged: some iterations stopped getting better before they met the tolerance. The results below are the last iterates; use them with care.',
  breakdown: 'Failed: a linear solve broke down. The results below should not be relied on.',
  'non-finite': 'Failed: numbers overflowed or became undefined. The results below should not be relied on.',
};

export function verdict(status: SolveStatus): string {
  return STATUS[status];
}

const SCHEMES: Readonly<Record<PrecomputeReport['scheme'], string>> = {
  consistent: 'a consistent discretisation of the equation (scheme consistent)',
  lau2025: 'the scheme of arXiv 2511.17634 (lau2025)',
  na2024:
    'the scheme of arXiv 2404.06661 (na2024), kept as published for comparison: it does not discretise the Fokker-Planck equation consistently',
};

const DENSITIES: Readonly<Record<PrecomputeReport['density'], string>> = {
  'pixel-positions': 'a kernel density of pixel positions weighted by brightness',
  'pixel-pairs': 'a smoothed histogram of pairs of pixel values',
  given: 'a given log density',
};

/** What was computed, for a reader who knows the subject and not the run. */
export function summary(report: PrecomputeReport): string {
  const { images, channels, height, width, levels } = report.shape;
  const end = report.times[report.times.length - 1];
  return (
    `${plural(images, 'picture')} of ${height} × ${width} points became ${images * channels === 1 ? 'a density' : 'densities'} ` +
    `(${DENSITIES[report.density]}; ${plural(channels, 'channel')} each), whose logarithm was followed through the ` +
    `Fokker-Planck equation of the diffusion ${report.sde} to t = ${figure(end)} on ${plural(levels, 'time level')}, ` +
    `by ${SCHEMES[report.scheme]}. The score is the gradient of the log density: the direction in which, at each ` +
    'place and time, points become more likely.'
  );
}

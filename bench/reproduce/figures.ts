import { digits, type Table } from '../results.ts';
import type { Baselines } from './draw.ts';
import {
  type Evaluation,
  lastSpread,
  type Measure,
  type Passage,
  passages,
  type Spread,
  spread,
} from './passage.ts';
import type { Case } from './plan.ts';
import type { TrialRecord } from './records.ts';

/** All that is known of a case. */
export interface CaseResult {
  one: Case;
  trials: TrialRecord[];
  /** Of each seed, at the noise of its last evaluations. */
  baselines: { seed: number; evaluation: number; of: Baselines }[];
}

/** A row: one curve a seed. */
export interface ArmCurves {
  arm: string;
  trials: TrialRecord[];
  curves: Evaluation[][];
}

export function armCurves({ one, trials }: CaseResult): ArmCurves[] {
  return one.trainings.flatMap(({ name, arms }) => {
    const own = trials.filter(({ training }) => training === name);
    return arms.map((arm) => ({
      arm: arm.name,
      trials: own,
      curves: own.map((trial) => trial.arms.find((record) => record.name === arm.name)?.curve ?? []),
    }));
  });
}

const KINDS = {
  noisy: 'noisy input',
  blur: 'best blur (windowed SSIM)',
  globalBlur: 'best blur (global SSIM)',
};

/** What needs no training, as rows of the same form. */
export function baselineSpread(
  { baselines }: CaseResult,
  kind: keyof Baselines,
  measure: Measure,
): Spread | undefined {
  return spread(baselines.map(({ of }) => of[kind].measures[measure]));
}

function ranged(value: Spread | undefined, text: (value: number) => string): string {
  if (value === undefined) return '-';
  const { mean, low, high } = value;
  return value.count === 1 ? text(mean) : `${text(mean)} (${text(low)} to ${text(high)})`;
}

const similarity = (value: number) => value.toFixed(2);
const small = (value: number) => value.toFixed(4);

export function passageText({ reached, runs, at }: Passage): string {
  if (at === undefined) return 'not reached';
  const text = ranged(at, digits);
  return reached === runs ? text : `${text}, ${reached} of ${runs}`;
}

const NAMES = { ssim: 'windowed', globalSsim: 'global' };
const QUANTITIES = { cpu: 'CPU seconds', wall: 'wall seconds', step: 'optimiser steps' };

/** When each arm first had each similarity, in CPU seconds, wall seconds and steps. */
export function passageTables(result: CaseResult): Table[] {
  const { one } = result;
  if (one.thresholds.length === 0) return [];
  return (['cpu', 'wall', 'step'] as const).map((quantity) => ({
    title: `${one.title}: first passage, ${QUANTITIES[quantity]}`,
    head: ['arm', ...one.thresholds.map(({ measure, threshold }) => `${NAMES[measure]} ${threshold}`)],
    rows: [
      ...armCurves(result).map(({ arm, curves }) => [
        arm,
        ...one.thresholds.map((threshold) => passageText(passages(curves, threshold, quantity))),
      ]),
      ...(Object.keys(KINDS) as (keyof Baselines)[]).map((kind) => [
        KINDS[kind],
        ...one.thresholds.map(({ measure, threshold }) =>
          (baselineSpread(result, kind, measure)?.mean ?? 0) >= threshold ? '0' : 'below',
        ),
      ]),
    ],
    ...(quantity === 'cpu' && {
      note: 'Mean over the seeds that got there, and the range. One evaluation over the threshold is enough: see the means below for what an arm holds. Baselines cost no training; 0 where their mean is over it.',
    }),
  }));
}

/** What the arms draw at the end. */
export function endTable(result: CaseResult): Table {
  const { one } = result;
  const measured = (of: (measure: Measure) => Spread | undefined) => [
    ranged(of('ssim'), similarity),
    ranged(of('globalSsim'), similarity),
    ranged(of('psnr'), (value) => value.toFixed(1)),
    ranged(of('mse'), small),
  ];
  return {
    title: `${one.title}: the last ${one.last === 1 ? 'evaluation' : `${one.last} evaluations`} of each seed`,
    head: ['arm', 'windowed SSIM', 'global SSIM', 'PSNR dB', 'MSE', 'steps', 'pre-computation CPU s'],
    rows: [
      ...armCurves(result).map(({ arm, curves, trials }) => [
        arm,
        ...measured((measure) => lastSpread(curves, measure, one.last)),
        ranged(spread(trials.map(({ steps }) => steps)), (value) => value.toFixed(0)),
        digits(spread(trials.map(({ preparation }) => preparation.cpu))?.mean),
      ]),
      ...(Object.keys(KINDS) as (keyof Baselines)[]).map((kind) => [
        KINDS[kind],
        ...measured((measure) => baselineSpread(result, kind, measure)),
        '-',
        '-',
      ]),
    ],
    note: 'Mean over evaluations and seeds, and the range. Pre-computation: everything before the first step. Where steps of the same network differ in number from seed to seed, other work on the machine slowed some: the passages in steps do not depend on it.',
  };
}

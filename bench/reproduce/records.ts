import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NdArray } from '../../src/diffusion/index.ts';
import type { Evaluation } from './passage.ts';

/** Where finished trainings are kept, for a run that was interrupted. */
const FOLDER = 'build/reproduce';
/** A change of what a record means makes older ones worthless. */
const VERSION = 1;

/** A training with one seed, done. */
export interface TrialRecord {
  training: string;
  seed: number;
  /** How training ended. `aborted` is not written. */
  status: 'completed' | 'non-finite';
  parameters: number;
  steps: number;
  epochs: number;
  /** Seconds, all told without the evaluations; `preparation` is what went before the first step. */
  cpu: number;
  wall: number;
  preparation: { cpu: number; wall: number };
  arms: ArmRecord[];
}

export interface ArmRecord {
  name: string;
  /** CPU seconds of all evaluations: what they cost, which no time of training includes. */
  evaluation: number;
  curve: Evaluation[];
  /** Drawn at the last evaluation: bytes, in base 64, `[images, channels, H, W]`. */
  last: { shape: readonly number[]; bytes: string };
}

/** A name for what a record depends on. */
export function keyOf(content: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([VERSION, content]))
    .digest('hex')
    .slice(0, 16);
}

/** The record of that key, or what `make` returns, which is written down. */
export async function recorded<T>(
  path: { experiment: string; name: string; key: string },
  make: () => Promise<T>,
): Promise<{ record: T; reused: boolean }> {
  const file = join(FOLDER, path.experiment, `${path.name.replace(/\W+/g, '-')}-${path.key}.json`);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text !== undefined) return { record: JSON.parse(text) as T, reused: true };
  const record = await make();
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(record)}\n`);
  await rename(temporary, file);
  return { record, reused: false };
}

export function toBytes({ data, shape }: NdArray): ArmRecord['last'] {
  const bytes = Uint8Array.from(data, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return { shape, bytes: Buffer.from(bytes).toString('base64') };
}

export function fromBytes({ shape, bytes }: ArmRecord['last']): NdArray {
  return { data: Float64Array.from(Buffer.from(bytes, 'base64'), (value) => value / 255), shape };
}

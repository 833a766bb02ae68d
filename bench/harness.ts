import { randomFillSync } from 'node:crypto';

/** CPU and wall time of a number of calls, in milliseconds. */
export interface Sample {
  cpu: number;
  wall: number;
}

/** One of the things that are compared: it does its work `calls` times and says how long that took. */
export type Side = (calls: number) => Sample | Promise<Sample>;

/** Milliseconds a call. */
export interface Timing {
  /** Median of the CPU time: what the tables show, since other load on the machine spoils it least. */
  cpu: number;
  /** Median of the wall time. */
  wall: number;
  /** Half the distance of the quartiles of the CPU time, over the median. */
  spread: number;
  samples: number;
}

export interface Effort {
  /** Least length of a sample. */
  sample: number;
  /** Samples of each side. */
  rounds: number;
  /** Before the samples. */
  warmUp: number;
  /** Where a call takes so long that `rounds` samples would take longer than this, there are fewer. */
  most: number;
}

export const EFFORT: Readonly<Record<'quick' | 'full', Effort>> = {
  // As warm as the full ones: their ratios are held against those.
  quick: { sample: 4, rounds: 5, warmUp: 30, most: 250 },
  full: { sample: 8, rounds: 9, warmUp: 30, most: 1000 },
};

/** A side that runs in this process. */
export function local(work: () => void): Side {
  return (calls) => {
    const cpu = process.cpuUsage();
    const wall = performance.now();
    for (let k = 0; k < calls; k++) work();
    const elapsed = performance.now() - wall;
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: (user + system) / 1000, wall: elapsed };
  };
}

/** A side in this process whose work is asynchronous. */
export function localAsync(work: () => Promise<void>): Side {
  return async (calls) => {
    const cpu = process.cpuUsage();
    const wall = performance.now();
    for (let k = 0; k < calls; k++) await work();
    const elapsed = performance.now() - wall;
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: (user + system) / 1000, wall: elapsed };
  };
}

/** Warms all sides up, then samples them in turn, so that what slows the machine slows them alike. */
export async function compare(sides: readonly Side[], effort: Effort): Promise<Timing[]> {
  const calls: number[] = [];
  const rounds: number[] = [];
  for (const side of sides) {
    let count = 1;
    let each = Infinity;
    for (let spent = 0; spent < effort.warmUp; ) {
      const { wall } = await side(count);
      spent += Math.max(wall, 0.01);
      each = Math.min(each, wall / count);
      count = Math.max(1, Math.min(count * 4, Math.ceil(effort.sample / Math.max(each, 1e-5))));
    }
    calls.push(Math.max(1, Math.ceil(effort.sample / Math.max(each, 1e-5))));
    rounds.push(
      Math.max(1, Math.min(effort.rounds, Math.ceil(effort.most / (each * calls[calls.length - 1])))),
    );
  }
  const samples: Sample[][] = sides.map(() => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (const [k, side] of sides.entries()) {
      if (round >= rounds[k]) continue;
      const { cpu, wall } = await side(calls[k]);
      samples[k].push({ cpu: cpu / calls[k], wall: wall / calls[k] });
    }
  }
  return samples.map(timing);
}

export function timing(samples: readonly Sample[]): Timing {
  const cpu = samples.map((sample) => sample.cpu).sort((a, b) => a - b);
  const wall = samples.map((sample) => sample.wall).sort((a, b) => a - b);
  const middle = quantile(cpu, 0.5);
  return {
    cpu: middle,
    wall: quantile(wall, 0.5),
    spread: (quantile(cpu, 0.75) - quantile(cpu, 0.25)) / 2 / (middle || 1),
    samples: samples.length,
  };
}

/** Linear interpolation between the neighbours in a sorted list. */
function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/**
 * A module with the same code and other bytes: V8 shares what it compiled among modules of equal bytes, so only
 * such a one is cold. A custom section with random content is put behind the last one.
 */
export function coldModule(bytes: Uint8Array): WebAssembly.Module {
  const section = Uint8Array.of(0, 10, 1, 120, ...randomFillSync(new Uint8Array(8)));
  const all = new Uint8Array(bytes.length + section.length);
  all.set(bytes);
  all.set(section, bytes.length);
  return new WebAssembly.Module(all);
}

/** An instance that nothing has run in, and that nobody will call back. */
export function coldInstance<T>(bytes: Uint8Array): T {
  const module = coldModule(bytes);
  const imports: Record<string, Record<string, () => void>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = () => {};
  }
  return new WebAssembly.Instance(module, imports).exports as T;
}

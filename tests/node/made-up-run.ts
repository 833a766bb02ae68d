import type { PrecomputeReport, PrecomputeResult, StepReport } from '../../src/diffusion/types.ts';

/** A run that nobody computed: smooth fields (two spreading bumps) with a report of plausible figures. */
export function madeUpRun(scheme: 'consistent' | 'na2024', images = 3, size = 32): PrecomputeResult {
  const steps = 20;
  const levels = scheme === 'na2024' ? steps : steps + 1;
  const channels = scheme === 'na2024' ? 3 : 1;
  const components = scheme === 'na2024' ? 1 : 2;
  const pixels = size * size;
  const logDensity = new Float64Array(images * levels * channels * pixels);
  const scores = new Float64Array(logDensity.length * components);
  for (let image = 0; image < images; image++) {
    for (let level = 0; level < levels; level++) {
      for (let c = 0; c < channels; c++) {
        const field = (image * levels + level) * channels + c;
        const variance = 0.01 + 0.01 * image + 0.005 * c + 0.02 * level;
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            const x = i / (size - 1);
            const y = j / (size - 1);
            const bump = (cx: number, cy: number) =>
              Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * variance));
            const [a, b] = [bump(0.3, 0.25), 0.7 * bump(0.65, 0.7)];
            const k = i * size + j;
            logDensity[field * pixels + k] = Math.log((a + b) / (2 * Math.PI * variance) + 1e-10);
            const down = -((x - 0.3) * a + (x - 0.65) * b) / (variance * (a + b + 1e-10));
            const right = -((y - 0.25) * a + (y - 0.7) * b) / (variance * (a + b + 1e-10));
            scores[field * components * pixels + k] = down;
            if (components === 2) scores[(field * components + 1) * pixels + k] = right;
          }
        }
      }
    }
  }
  const times = Array.from({ length: levels }, (_, k) => k / steps);
  const reports: StepReport[] = [];
  for (let image = 0; image < images; image++) {
    for (let level = 1; level < levels; level++) {
      reports.push({
        image,
        level,
        t: times[level],
        fixedPointIterations: 5,
        solves: 5 * channels,
        iterations: Math.round((20 + 15 * image) * (1 + level / 8)),
        residual: 3.1e-11,
        change: 10 ** -(6 + level / 10 + image / 2),
        status: 'converged',
      });
    }
  }
  const iterations = reports.reduce((sum, step) => sum + step.iterations, 0);
  const solves = reports.reduce((sum, step) => sum + step.solves, 0);
  const report: PrecomputeReport = {
    scheme,
    sde: 've:5',
    density: scheme === 'na2024' ? 'pixel-pairs' : 'pixel-positions',
    sharing: 'projection',
    decisions: [],
    projection: {
      kind: 'minimal-residual',
      dim: 10,
      solutions: false,
      seeds: [0],
      maxDim: 10,
      precision: 'double',
    },
    method: 'bicgstab',
    build: 'simd',
    workers: 0,
    shape: { images, channels, height: size, width: size, levels },
    times,
    status: 'converged',
    images: Array.from({ length: images }, (_, image) => {
      const own = reports.filter((step) => step.image === image);
      return {
        status: 'converged',
        fixedPointIterations: 5,
        solves: own.reduce((sum, step) => sum + step.solves, 0),
        iterations: own.reduce((sum, step) => sum + step.iterations, 0),
        changes: scheme === 'na2024' ? [0.9, 0.03, 1e-3, 1e-5, 2e-7, 4e-9] : own.map((step) => step.change),
      };
    }),
    steps: reports,
    solves,
    iterations,
    matvecs: 2 * iterations,
    time: { density: 12.2, assembly: 31, projection: 8.4, solve: 96.5, score: 2.1, total: 151.3 },
    ...(scheme === 'consistent' ? { peclet: { cells: 120, of: 61440, max: 1.82 } } : {}),
  };
  const lead = [images, levels, channels];
  return {
    logDensity: { data: logDensity, shape: [...lead, size, size] },
    scores: { data: scores, shape: [...lead, ...(components === 2 ? [2] : []), size, size] },
    report,
  };
}

/** Pictures of smooth colour, `[images, 3, size, size]`. */
export function madeUpPictures(images = 3, size = 32) {
  const data = new Float32Array(images * 3 * size * size);
  for (let k = 0; k < data.length; k++) {
    const [j, i, c] = [k % size, Math.floor(k / size) % size, Math.floor(k / size ** 2) % 3];
    data[k] = 0.5 + 0.5 * Math.sin((i * (c + 1) + j * (3 - c)) / size + Math.floor(k / (3 * size ** 2)));
  }
  return { data, shape: [images, 3, size, size] };
}

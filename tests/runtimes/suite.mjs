// What every runtime computes with the packed package: plain JavaScript without a test framework, so that it runs in
// Node, Deno, Bun, workerd and browsers alike. Each result gets a digest of its bits, and is checked by itself: a
// solution by its residual, computed here. The runner compares the digests between runtimes.

const SIDE = 24;
const N = SIDE * SIDE;

/** Two 32-bit FNV-1a hashes over the bytes of numbers, as 16 hexadecimal digits. */
export function digest(...arrays) {
  let [h, g] = [0x811c9dc5, 0x9dc5811c];
  for (const values of arrays) {
    const { buffer } = Float64Array.from(values);
    for (const byte of new Uint8Array(buffer)) {
      h = Math.imul(h ^ byte, 0x01000193);
      g = Math.imul(g ^ byte, 0x01000197) + 1;
    }
  }
  return [h, g].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

/** Fractions of integers: the same numbers everywhere. */
const numbers = (n, seed) =>
  Float64Array.from({ length: n }, (_, k) => ((k * 7919 + seed * 104729) % 1013) / 1013);

/** A picture with an edge, a slope and some texture. */
function picture(side, channels = 1) {
  const data = new Float32Array(channels * side * side);
  for (let k = 0; k < data.length; k++) {
    const [i, j] = [Math.floor(k / side) % side, k % side];
    data[k] = ((i > side / 2 ? 200 : 20) + 2 * j + ((k * 31) % 17)) / 300;
  }
  return { data, shape: [1, channels, side, side] };
}

/** Relative residual, by the matrix's own product in JavaScript. */
function residual(A, x, b) {
  let [square, norm] = [0, 0];
  for (const [k, value] of A.multiply(x).entries()) {
    square += (b[k] - value) ** 2;
    norm += b[k] ** 2;
  }
  return Math.sqrt(square / norm);
}

/** Name and work of each check; the work returns the numbers that the digest is made of, and whether they are right. */
function solves({ core }) {
  const wind = core.convectionDiffusion2d({ nx: SIDE, ny: SIDE, wind: [30, 10], diffusion: 1 });
  const poisson = core.poisson2d(SIDE, SIDE);
  const scattered = core.randomDiagonallyDominant({ n: 500, perRow: 6, seed: 3 });
  const b = numbers(N, 1);
  const one = (A, right, options) => (engine) => {
    const { x, status, iterations, residualNorm } = engine.solve(A, right, { rtol: 1e-10, ...options });
    const ok = status === 'converged' && residual(A, x, right) < 1.01e-10;
    return { values: [x, [iterations, residualNorm]], ok, x };
  };
  return {
    gmres: one(wind, b, { method: 'gmres' }),
    'gmres, jacobi, left': one(wind, b, { method: 'gmres', preconditioner: 'jacobi', side: 'left' }),
    'gmres, ilu0': one(wind, b, { method: 'gmres', preconditioner: 'ilu0', restart: 10 }),
    bicgstab: one(wind, b, { method: 'bicgstab', precision: 'double' }),
    'bicgstab, mixed precision': one(wind, b, { method: 'bicgstab', precision: 'mixed' }),
    'bicgstab, ilu0': one(wind, b, { method: 'bicgstab', preconditioner: 'ilu0' }),
    'bicgstab, multigrid': one(poisson, b, { method: 'bicgstab', preconditioner: 'multigrid' }),
    'bicgstab, sine transform': one(poisson, b, { method: 'bicgstab', preconditioner: 'sine-transform' }),
    'bicgstab, scattered matrix': one(scattered, numbers(500, 2), { method: 'bicgstab', storage: 'csr' }),
    cg: one(poisson, b, { method: 'cg' }),
    'gcro-dr': one(poisson, b, { method: 'gcro-dr', restart: 15 }),
    lu: one(wind, b, { method: 'lu' }),
    auto: one(scattered, numbers(500, 4), { method: 'auto' }),
    'a function in place of a matrix': (engine) => {
      const multiply = (x, y) => void y.set(wind.multiply(x));
      const { x, status, iterations } = engine.solve(multiply, b, { method: 'gmres', rtol: 1e-10 });
      return { values: [x, [iterations]], ok: status === 'converged' && residual(wind, x, b) < 1.01e-10, x };
    },
    'projection on a seed': (engine) => {
      const seed = engine.seedSubspace(poisson, b, { dim: 30 });
      const other = core.poisson2d(SIDE, SIDE);
      other.setData(other.data.map((value) => (value > 0 ? value * 1.01 : value)));
      const result = engine.solve(other, b, { seed, rtol: 1e-10 });
      const { x, projectedResidualNorm, initialResidualNorm = Infinity } = result;
      const ok = residual(other, x, b) < 1.01e-10 && projectedResidualNorm < initialResidualNorm;
      seed.dispose();
      return { values: [x, [projectedResidualNorm, result.iterations]], ok, x };
    },
    'a solve in slices': async (engine) => {
      let calls = 0;
      const onProgress = () => void calls++;
      const { x, iterations } = await engine.solveAsync(poisson, b, {
        method: 'cg',
        rtol: 1e-10,
        onProgress,
      });
      return { values: [x, [iterations]], ok: calls > 0 && residual(poisson, x, b) < 1.01e-10, x };
    },
    'a batch in lanes': async (engine) => {
      const systems = Array.from({ length: 10 }, (_, k) => {
        const A = core.poisson2d(SIDE, SIDE);
        return {
          A: A.setData(A.data.map((value) => (value > 0 ? value + k / 64 : value))),
          b: numbers(N, k),
        };
      });
      const values = [];
      let ok = true;
      let x = new Float64Array(0);
      for await (const result of engine.solveBatch(systems, { preconditioner: 'ilu0', rtol: 1e-10 })) {
        const { A, b: right } = systems[result.index];
        ok &&= result.lanes > 1 === (engine.build !== 'scalar') && residual(A, result.x, right) < 1.01e-10;
        ({ x } = result);
        values.push(result.x.slice(), [result.iterations]);
      }
      return { values, ok, x: x.slice() };
    },
  };
}

function fields({ diffusion, formats }) {
  const finite = (data) => data.every(Number.isFinite) && data.some((value) => value !== 0);
  const scores = (options) => async (engine) => {
    const images = picture(16);
    const result = await diffusion.precomputeScores({ images, steps: 6, engine, ...options });
    const { logDensity, scores: field } = result;
    const back = formats.readNpy(formats.writeNpy(field));
    const ok = finite(field.data) && finite(logDensity.data) && digest(back.data) === digest(field.data);
    return { values: [logDensity.data, field.data, [result.report.iterations]], ok, x: field.data };
  };
  return {
    'pre-computation, consistent': scores({ scheme: 'consistent', sde: diffusion.constantDiffusion(0.3) }),
    'pre-computation, variance preserving': scores({
      scheme: 'consistent',
      sde: diffusion.variancePreserving(),
    }),
    'pre-computation, lau2025': scores({ scheme: 'lau2025' }),
    'pre-computation, na2024': scores({ scheme: 'na2024', sde: diffusion.varianceExploding(5) }),
    'points from a field': async (engine) => {
      const density = diffusion.pictureDensity({ data: picture(16).data, shape: [1, 16, 16] });
      const field = await diffusion.precomputeField(density, { engine });
      const values = [];
      for (const sampler of ['heun', 'predictor-corrector', 'ddim']) {
        const { points } = await diffusion.sampleField(field, {
          count: 500,
          steps: 10,
          sampler,
          seed: 7,
          engine,
        });
        values.push(points.data);
      }
      return { values, ok: values.every(finite), x: values[0] };
    },
    'random numbers': () => {
      const stream = diffusion.randomStream(2024, 5);
      const x = Float64Array.from({ length: 4000 }, () => stream.normal());
      const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
      return { values: [x], ok: Math.abs(mean) < 0.06, x };
    },
  };
}

/** One solve, for where another matter is in question. */
export function solveOnce(modules, engine) {
  return digest(...solves(modules)['bicgstab, ilu0'](engine).values);
}

async function runBuild(modules, build) {
  const engine = await modules.core.createEngine(build === undefined ? {} : { build });
  const results = {};
  for (const [name, work] of Object.entries({ ...solves(modules), ...fields(modules) })) {
    const { values, ok, x } = await work(engine);
    results[name] = { digest: digest(...values), ok: ok && engine.bytesInUse === 0, x };
  }
  const chosen = engine.build;
  engine.dispose();
  return { chosen, results };
}

/** The greatest difference of two arrays, relative to the greatest value. */
function deviation(x, y) {
  let [most, scale] = [0, 0];
  for (let k = 0; k < x.length; k++) {
    most = Math.max(most, Math.abs(x[k] - y[k]));
    scale = Math.max(scale, Math.abs(x[k]));
  }
  return most / scale;
}

/** Solutions to a residual of 1e-10, fields of 1e-10: apart by no more than their condition allows. */
const TOLERANCE = 1e-6;

/**
 * Runs everything: with plain SIMD, whose digits are the same everywhere, and with the other builds that the runtime
 * has, to a tolerance.
 *
 * @param modules `{ core, diffusion, formats }`: the package's modules, as the runtime loaded them
 * @returns `{ build, digests, failures, deviations }`, JSON: the build that `auto` takes, a digest for each check, what
 *   was wrong, and how far the other builds are from plain SIMD (`null`: not there)
 */
export async function runSuite(modules) {
  const failures = [];
  const plain = await runBuild(modules, 'simd');
  for (const [name, { ok }] of Object.entries(plain.results)) if (!ok) failures.push(name);
  const deviations = {};
  for (const build of ['scalar', 'relaxed-simd']) {
    deviations[build] = null;
    let other;
    try {
      other = await runBuild(modules, build);
    } catch (error) {
      if (error?.code !== 'UNSUPPORTED') throw error;
      continue;
    }
    let most = 0;
    for (const [name, { ok, x }] of Object.entries(other.results)) {
      if (!ok) failures.push(`${name}, ${build}`);
      most = Math.max(most, deviation(plain.results[name].x, x));
    }
    deviations[build] = most;
    if (!(most < TOLERANCE)) failures.push(`${build} is ${most} from simd`);
  }
  const engine = await modules.core.createEngine();
  const { build } = engine;
  engine.dispose();
  const digests = Object.fromEntries(
    Object.entries(plain.results).map(([name, result]) => [name, result.digest]),
  );
  return { build, digests, failures, deviations };
}

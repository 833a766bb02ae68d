import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Runs a program on the built package, as its users have it. */
function run(code: string): string {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const program = `import { createEngine, createWorkerPool, poisson2d } from 'seedspan';
    import { precomputeScores } from 'seedspan/diffusion';
    const engine = await createEngine();
    const systems = Array.from({ length: 40 }, (_, k) => ({ A: poisson2d(16, 16), b: new Float64Array(256).fill(k + 1) }));
    ${code}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd,
    encoding: 'utf8',
    timeout: 30_000,
  }).trim();
}

describe('a process with workers, of the built package', () => {
  it('ends by itself when the work is done', () => {
    const output = run(`
      let count = 0;
      for await (const { converged } of engine.solveBatch(systems, { workers: 2 })) count += Number(converged);
      const images = { data: new Float32Array(4 * 64).map((_, k) => (k % 7) / 7), shape: [4, 1, 8, 8] };
      const { report } = await precomputeScores({ images, steps: 3, workers: 2 });
      console.log(count, report.status, report.workers);`);
    expect(output).toBe('40 converged 2');
  });

  it('ends by itself when the loop was left', () => {
    expect(
      run(`for await (const { index } of engine.solveBatch(systems, { workers: 2 })) {
      console.log(index);
      break;
    }`),
    ).toBe('0');
  });
});

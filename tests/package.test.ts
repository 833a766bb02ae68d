import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let place: string;

/** Unpacks what `npm pack` makes, as an install in an empty project would. */
beforeAll(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'seedspan-package-')));
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', place], {
    cwd: root,
    stdio: 'pipe',
  });
  const modules = join(place, 'node_modules');
  mkdirSync(modules);
  const tarball = readdirSync(place).find((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', join(place, String(tarball)), '-C', modules]);
  execFileSync('mv', [join(modules, 'package'), join(modules, 'seedspan')]);
  for (const name of [
    'commander',
    'cli-progress',
    'string-width',
    'typescript',
    '@types',
    'undici-types',
  ]) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'consumer', type: 'module' }));
});

afterAll(() => rmSync(place, { recursive: true }));

function run(file: string, code: string): string {
  writeFileSync(join(place, file), code);
  return execFileSync(process.execPath, [join(place, file)], { cwd: place, encoding: 'utf8' });
}

describe('the packed tarball', () => {
  it('solves, pre-computes and writes from its sub-paths', () => {
    const output = run(
      'use.mjs',
      `import { createEngine, poisson2d, supportsBuild } from 'seedspan';
      import { precomputeScores } from 'seedspan/diffusion';
      import { readNpy, writeNpy } from 'seedspan/formats';
      import { fieldToPng } from 'seedspan/node';
      const engine = await createEngine();
      const { status } = engine.solve(poisson2d(8, 8), new Float64Array(64).fill(1));
      const initialLogDensity = { data: new Float64Array(64).map((_, k) => -k / 64), shape: [1, 1, 8, 8] };
      const { scores } = await precomputeScores({ initialLogDensity, steps: 2, engine });
      console.log(status, readNpy(writeNpy(scores)).shape.join(), engine.bytesInUse, supportsBuild('simd'), typeof fieldToPng);`,
    );
    expect(output.trim()).toBe('converged 1,3,1,2,8,8 0 true function');
  });

  it('solves in workers', () => {
    const output = run(
      'workers.mjs',
      `import { readFileSync } from 'node:fs';
      import { fileURLToPath } from 'node:url';
      import { createEngine, poisson2d } from 'seedspan';
      const engine = await createEngine();
      const systems = [1, 2, 3].map((k) => ({ A: poisson2d(8, 8), b: new Float64Array(64).fill(k) }));
      for await (const { index, status } of engine.solveBatch(systems, { workers: 2 })) console.log(index, status);
      console.log(readFileSync(fileURLToPath(import.meta.resolve('seedspan/worker.js'))).length > 1000);`,
    );
    expect(output).toBe('0 converged\n1 converged\n2 converged\ntrue\n');
  });

  it('exports the kernels as files', () => {
    const output = run(
      'kernel.mjs',
      `import { readFileSync } from 'node:fs';
      import { fileURLToPath } from 'node:url';
      for (const build of ['scalar', 'simd', 'relaxed-simd']) {
        const file = fileURLToPath(import.meta.resolve('seedspan/kernel/' + build + '.wasm'));
        console.log(readFileSync(file).subarray(1, 4).toString());
      }`,
    );
    expect(output).toBe('asm\n'.repeat(3));
  });

  it('names an optional peer that is missing', () => {
    const output = run(
      'peer.mjs',
      `import { loadOnnxScore } from 'seedspan/onnx';
      await loadOnnxScore(new Uint8Array(4), { shape: [2], parametrisation: 'v' }).catch((error) => {
        console.log(error.code, error.message);
      });`,
    );
    expect(output).toMatch(/^UNSUPPORTED .*npm install onnxruntime-web$/m);
  });

  it('has a command', () => {
    const main = join(place, 'node_modules', 'seedspan', 'build', 'package', 'cli', 'main.js');
    const output = execFileSync(process.execPath, [main, '--version'], { encoding: 'utf8' });
    expect(output.trim()).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('has types for module %s, resolution %s', (module, moduleResolution) => {
    const file = `use-${moduleResolution}.ts`;
    writeFileSync(
      join(place, file),
      `import { createEngine, csr, type SolveResult, SeedspanError } from 'seedspan';
      import { precomputeScores, varianceExploding, type PrecomputeResult } from 'seedspan/diffusion';
      import { readMatrixMarket } from 'seedspan/formats';
      import { readPicture } from 'seedspan/node';
      export async function use(): Promise<[SolveResult, PrecomputeResult]> {
        const engine = await createEngine({ build: 'simd' });
        const A = csr({ shape: [1, 1], indptr: [0, 1], indices: [0], data: [2] });
        // @ts-expect-error: no such method
        engine.solve(A, [1], { method: 'magic' });
        const images = { data: new Float32Array(4), shape: [1, 1, 2, 2] };
        const scores = await precomputeScores({ images, sde: varianceExploding(2) });
        const status: 'converged' | 'stagnated' | 'max-iterations' | 'breakdown' | 'non-finite' = scores.report.status;
        if (status === 'converged') throw new SeedspanError('IO', 'x');
        return [engine.solve(A, [1]), scores];
      }
      export { readMatrixMarket, readPicture };`,
    );
    const flags = [
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--types',
      'node',
      '--lib',
      'es2023,dom,esnext.disposable',
    ];
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    try {
      execFileSync(
        process.execPath,
        [tsc, ...flags, '--module', module, '--moduleResolution', moduleResolution, file],
        {
          cwd: place,
          encoding: 'utf8',
        },
      );
    } catch (error) {
      expect.fail(String((error as { stdout: string }).stdout));
    }
  });
});

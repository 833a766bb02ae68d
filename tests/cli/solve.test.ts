import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readMatrixMarket } from '../../src/formats/index.ts';
import { seedspan } from './cli.ts';

const N = 40;
let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seedspan-solve-'));
  const entries: string[] = [];
  for (let i = 1; i <= N; i++) {
    entries.push(`${i} ${i} 4`);
    if (i > 1) entries.push(`${i} ${i - 1} -1.5`);
    if (i < N) entries.push(`${i} ${i + 1} -1`);
  }
  const head = '%%MatrixMarket matrix coordinate real general\n';
  writeFileSync(at('A.mtx'), `${head}${N} ${N} ${entries.length}\n${entries.join('\n')}\n`);
  writeFileSync(at('singular.mtx'), `${head}2 2 2\n1 1 1\n2 1 1\n`);
  writeFileSync(at('two.mtx'), '%%MatrixMarket matrix array real general\n2 1\n1\n-1\n');
  // b for x = 1, 2, 3, ...: row i of A x, written out.
  const b = Array.from({ length: N }, (_, k) => 4 * (k + 1) - 1.5 * k - (k + 1 < N ? k + 2 : 0));
  writeFileSync(at('b.mtx'), `%%MatrixMarket matrix array real general\n${N} 1\n${b.join('\n')}\n`);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function solution(path: string): number[] {
  const file = readMatrixMarket(readFileSync(path));
  return file.kind === 'array' ? [...file.data] : [];
}

test.each([
  ['gmres', 'ilu0'],
  ['gmres', 'none'],
  ['bicgstab', 'jacobi'],
  ['gcro-dr', 'ilu0'],
])('%s with %s: x is written and right', async (method, preconditioner) => {
  const { code, stdout, stderr } = await seedspan(
    ...[
      'solve',
      at('A.mtx'),
      at('b.mtx'),
      '--method',
      method,
      '--preconditioner',
      preconditioner,
      '--out',
      at('x.mtx'),
    ],
  );
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^status +converged$/m);
  solution(at('x.mtx')).forEach((value, k) => {
    expect(value).toBeCloseTo(k + 1, 7);
  });
  expect(solution(at('x.mtx'))).toHaveLength(N);
});

test('without b: A * ones, and the output says so', async () => {
  const { code, stdout } = await seedspan('solve', at('A.mtx'), '--out', at('x.mtx'));
  expect(code).toBe(0);
  expect(stdout).toContain('b = A * ones');
  for (const value of solution(at('x.mtx'))) expect(value).toBeCloseTo(1, 8);
});

test('--json prints one document, with --history the residuals; --x0 is where it starts', async () => {
  const x = Array.from({ length: N }, (_, k) => k + 1);
  writeFileSync(at('x0.mtx'), `%%MatrixMarket matrix array real general\n${N} 1\n${x.join('\n')}\n`);
  const cold = JSON.parse((await seedspan('solve', at('A.mtx'), at('b.mtx'), '--json', '--history')).stdout);
  expect(cold).toMatchObject({
    status: 'converged',
    converged: true,
    method: 'gmres',
    matrix: { shape: [N, N] },
    out: null,
  });
  expect(cold.history).toHaveLength(cold.iterations + 1);
  expect(cold.residualNorm).toBeLessThanOrEqual(1e-10 * cold.rightHandSideNorm);
  const warm = JSON.parse(
    (await seedspan('solve', at('A.mtx'), at('b.mtx'), '--json', '--x0', at('x0.mtx'))).stdout,
  );
  expect(warm).toMatchObject({ converged: true, iterations: 0 });
  expect(warm).not.toHaveProperty('history');
});

test('not converged: exit code 1, the status said, the last x written', async () => {
  const { code, stdout } = await seedspan(
    'solve',
    at('A.mtx'),
    at('b.mtx'),
    '--maxiter',
    '2',
    '--out',
    at('x.mtx'),
  );
  expect(code).toBe(1);
  expect(stdout).toMatch(/^status +max-iterations$/m);
  expect(solution(at('x.mtx'))).toHaveLength(N);
  const singular = await seedspan('solve', at('singular.mtx'), at('two.mtx'), '--json');
  expect(singular.code).toBe(1);
  expect(JSON.parse(singular.stdout)).toMatchObject({ converged: false });
});

test('an existing file is refused before solving, and replaced with --force', async () => {
  writeFileSync(at('x.mtx'), 'mine');
  const refused = await seedspan('solve', at('A.mtx'), '--out', at('x.mtx'));
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toContain('exists already');
  expect(readFileSync(at('x.mtx'), 'utf8')).toBe('mine');
  expect((await seedspan('solve', at('A.mtx'), '--out', at('x.mtx'), '--force')).code).toBe(0);
  expect(solution(at('x.mtx'))).toHaveLength(N);
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

test.each([
  [['missing.mtx'], 'does not exist'],
  [['A.mtx', 'two.mtx'], `expected a vector of ${N} entries, not 2 x 1`],
  [['two.mtx'], 'must be square'],
  [['singular.mtx', 'two.mtx', '--preconditioner', 'ilu0'], 'ilu0'],
  [['text.mtx'], 'MatrixMarket'],
])('bad input %j: a clear message, no stack trace', async (args, message) => {
  writeFileSync(at('text.mtx'), 'hello\n');
  const { code, stdout, stderr } = await seedspan(
    'solve',
    ...args.map((arg) => (arg.endsWith('.mtx') ? at(arg) : arg)),
  );
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('--method lu solves directly', async () => {
  const { code, stdout } = await seedspan(
    'solve',
    at('A.mtx'),
    at('b.mtx'),
    '--method',
    'lu',
    '--rtol',
    '1e-12',
    '--json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    status: 'converged',
    method: 'lu',
    preconditioner: 'lu',
    iterations: 1,
  });
});

test('--method auto says what it took', async () => {
  const { code, stdout } = await seedspan('solve', at('A.mtx'), at('b.mtx'), '--method', 'auto', '--json');
  expect(code).toBe(0);
  const { status, method, preconditioner, residualNorm } = JSON.parse(stdout);
  expect(status).toBe('converged');
  expect(['gmres', 'bicgstab', 'cg']).toContain(method);
  expect(['none', 'jacobi', 'ilu0', 'multigrid', 'sine-transform', 'cosine-transform']).toContain(
    preconditioner,
  );
  expect(residualNorm).toBeLessThan(1e-7);
});

import type { Engine } from '../src/solver/engine.ts';
import { compare, type Effort, local, localAsync } from './harness.ts';
import type { Problem } from './problems.ts';
import { type Case, digits, type Table } from './results.ts';
import { RTOL } from './solvers.ts';

/** Systems in a batch. */
const COUNT = 16;
const LANES = [1, 2, 4, 'auto'] as const;

/** Batches of systems of one pattern, in lanes, against a workspace that solves one after the other. */
export async function batchTable(
  engine: Engine,
  problems: readonly Problem[],
  effort: Effort,
  cases: Case[],
): Promise<Table> {
  const rows: string[][] = [];
  for (const { name, A, b } of problems) {
    for (const preconditioner of ['none', 'ilu0'] as const) {
      const options = { method: 'bicgstab', preconditioner, rtol: RTOL } as const;
      const workspace = engine.workspace(A, { method: 'bicgstab', preconditioner });
      const out = new Float64Array(b.length);
      const systems = Array.from({ length: COUNT }, () => ({ A, b }));
      const alone = local(() => {
        for (const system of systems) engine.solve(system.A, system.b, { workspace, out, rtol: RTOL });
      });
      const batches = LANES.map((lanes) =>
        localAsync(async () => {
          for await (const { index, status } of engine.solveBatch(systems, { ...options, lanes })) {
            if (status !== 'converged') throw new Error(`${name}, system ${index}: ${status}`);
          }
        }),
      );
      const [single, ...timings] = await compare([alone, ...batches], effort);
      workspace.dispose();
      rows.push([
        `${name}, ${preconditioner}`,
        digits(single.cpu / COUNT),
        ...timings.map(({ cpu }) => digits(cpu / COUNT)),
        digits(single.cpu / timings[LANES.indexOf('auto')].cpu),
      ]);
      cases.push({ key: `batch/${name}/${preconditioner}`, single, lanes: timings });
    }
  }
  return {
    title: `Batches of ${COUNT} systems of one pattern, bicgstab, ms a system`,
    head: ['problem', 'workspace', ...LANES.map((lanes) => `lanes ${lanes}`), 'auto : workspace'],
    rows,
  };
}

import type { Timing } from './harness.ts';
import { type Case, digits } from './results.ts';

/** One question: how much faster is `own` than the best of `others`, in the problems named. */
interface Target {
  what: string;
  problems: readonly string[];
  own: (solver: string) => boolean;
  others: (solver: string) => boolean;
}

const is =
  (...names: string[]) =>
  (solver: string) =>
    names.includes(solver);
const starts =
  (...names: string[]) =>
  (solver: string) =>
    names.some((name) => solver.startsWith(name));

const BICGSTAB = is('seedspan bicgstab', 'seedspan bicgstab, mixed');
const OWN = starts('seedspan ');
const GENERAL = ['wind', 'anisotropic', 'random', 'circuit', 'graph'];

const TARGETS: readonly Target[] = [
  {
    what: 'bicgstab : Eigen bicgstab',
    problems: ['mild-64', 'mild-128'],
    own: BICGSTAB,
    others: is('Eigen bicgstab'),
  },
  {
    what: 'bicgstab : SciPy bicgstab',
    problems: ['mild-64', 'mild-128'],
    own: BICGSTAB,
    others: is('SciPy bicgstab'),
  },
  {
    what: 'bicgstab : SciPy spsolve',
    problems: ['mild-64', 'mild-128'],
    own: BICGSTAB,
    others: is('SciPy spsolve'),
  },
  {
    what: 'lu, cold : SciPy spsolve',
    problems: ['stiff-32', 'stiff-64', 'stiff-128', 'stiff-256'],
    own: is('seedspan lu, cold'),
    others: is('SciPy spsolve'),
  },
  {
    what: 'lu : best of Eigen lu-reused, PETSc lu',
    problems: ['stiff-32', 'stiff-64', 'stiff-128', 'stiff-256'],
    own: is('seedspan lu'),
    others: is('Eigen lu-reused', 'PETSc lu'),
  },
  {
    what: 'bicgstab : C, native',
    problems: ['mild-64', 'mild-128'],
    own: BICGSTAB,
    others: is('C, native bicgstab'),
  },
  {
    what: 'best own : best of Eigen, PETSc, SciPy',
    problems: ['stiff-128', 'stiff-256', 'stiff-512'],
    own: OWN,
    others: starts('Eigen', 'PETSc', 'SciPy'),
  },
  {
    what: 'gmres, ilu0 : best iterative of Eigen, PETSc',
    problems: GENERAL,
    own: is('seedspan gmres, ilu0'),
    others: is('Eigen bicgstab', 'Eigen bicgstab-ilut', 'PETSc bcgs', 'PETSc bcgs-ilu', 'PETSc gmres-ilu'),
  },
  {
    what: 'gmres, ilu0 : PETSc gmres-ilu',
    problems: GENERAL,
    own: is('seedspan gmres, ilu0'),
    others: is('PETSc gmres-ilu'),
  },
  {
    what: 'gmres, ilu0 : plain gmres',
    problems: GENERAL,
    own: is('seedspan gmres, ilu0'),
    others: starts('plain gmres'),
  },
  { what: 'best own : best other', problems: GENERAL, own: OWN, others: (solver) => !OWN(solver) },
  {
    what: 'best own : mathjs lusolve',
    problems: ['mild-64', 'stiff-64'],
    own: OWN,
    others: is('mathjs lusolve'),
  },
  {
    what: 'auto : best own',
    problems: [...[32, 64, 128, 256, 512].flatMap((n) => [`mild-${n}`, `stiff-${n}`]), ...GENERAL],
    own: is('seedspan auto'),
    others: (solver) => OWN(solver) && solver !== 'seedspan auto',
  },
];

/** Rows: what, problem, own time, other time, and how many times faster own is. */
export function targetRows(cases: readonly Case[]): string[][] {
  const fastest = (problem: string, fits: (solver: string) => boolean) =>
    cases
      .filter((it) => it.problem === problem && fits(String(it.solver)))
      .map((it) => ({ solver: String(it.solver), cpu: (it.timing as Timing).cpu }))
      .sort((a, b) => a.cpu - b.cpu)[0];
  return TARGETS.flatMap(({ what, problems, own, others }) =>
    problems.flatMap((problem) => {
      const mine = fastest(problem, own);
      const other = fastest(problem, others);
      if (mine === undefined || other === undefined) return [];
      return [
        [
          what,
          problem,
          `${digits(mine.cpu)} (${mine.solver.replace('seedspan ', '')})`,
          `${digits(other.cpu)} (${other.solver})`,
          digits(other.cpu / mine.cpu),
        ],
      ];
    }),
  );
}

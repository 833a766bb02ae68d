/* PETSc's solvers on the systems of the bench; the requests stand in protocol.h. The preconditioner stands on the
 * right where there is a choice, so that the stop test is on the residual itself. */
#include "protocol.h"

#include <petscksp.h>

typedef struct {
  const char *name;
  KSPType method;
  PCType preconditioner;
} Kind;

static const Kind KINDS[] = {{"bcgs", KSPBCGS, PCNONE},
                             {"bcgs-ilu", KSPBCGS, PCILU},
                             {"gmres-ilu", KSPGMRES, PCILU},
                             {"lu", KSPPREONLY, PCLU}};

static PetscErrorCode solve(const Kind *kind, Mat A, Vec b, Vec x, double rtol, int calls) {
  KSP ksp;
  PC pc;
  PetscInt iterations = 0;
  PetscFunctionBeginUser;
  PetscCall(KSPCreate(PETSC_COMM_SELF, &ksp));
  PetscCall(KSPSetOperators(ksp, A, A));
  PetscCall(KSPSetType(ksp, kind->method));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, kind->preconditioner));
  if (strcmp(kind->method, KSPPREONLY)) {
    PetscCall(KSPSetPCSide(ksp, PC_RIGHT));
    PetscCall(KSPSetTolerances(ksp, rtol, 1e-300, 1e10, 100000));
  }
  /* The pattern is analysed once; the factors are made anew for each solve. */
  PetscCall(KSPSetUp(ksp));
  start_clocks();
  for (int k = 0; k < calls; k++) {
    /* As after new values. */
    PetscCall(MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY));
    PetscCall(MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY));
    PetscCall(KSPSetOperators(ksp, A, A));
    PetscCall(KSPSolve(ksp, b, x));
  }
  PetscCall(KSPGetIterationNumber(ksp, &iterations));
  answer_times(strcmp(kind->method, KSPPREONLY) ? iterations : 0);
  PetscCall(KSPDestroy(&ksp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv) {
  char line[4096], name[64], path[4000];
  Problem p = {0};
  Mat A = NULL;
  Vec b = NULL, x = NULL;
  double rtol;
  int calls;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "problem %3999s", path) == 1) {
      PetscCall(MatDestroy(&A));
      PetscCall(VecDestroy(&b));
      PetscCall(VecDestroy(&x));
      free_problem(&p);
      if (!read_problem(path, &p)) {
        answer_done(0);
        continue;
      }
      PetscCall(MatCreateSeqAIJWithArrays(PETSC_COMM_SELF, p.n, p.n, p.indptr, p.indices, p.data, &A));
      PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, p.n, p.b, &b));
      PetscCall(VecDuplicate(b, &x));
      answer_done(1);
    } else if (sscanf(line, "solve %63s %lf %d", name, &rtol, &calls) == 3 && A) {
      const Kind *kind = NULL;
      for (int k = 0; k < 4; k++)
        if (!strcmp(KINDS[k].name, name)) kind = &KINDS[k];
      if (kind) PetscCall(solve(kind, A, b, x, rtol, calls));
      else answer_error("unknown method");
    } else if (sscanf(line, "write %3999s", path) == 1 && x) {
      const PetscScalar *values;
      PetscCall(VecGetArrayRead(x, &values));
      answer_done(write_vector(path, values, p.n));
      PetscCall(VecRestoreArrayRead(x, &values));
    } else {
      answer_error("unknown request");
    }
  }
  PetscCall(MatDestroy(&A));
  PetscCall(VecDestroy(&b));
  PetscCall(VecDestroy(&x));
  PetscCall(PetscFinalize());
  return 0;
}

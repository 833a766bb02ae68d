// Eigen's solvers on the systems of the bench; the requests stand in protocol.h.
#include "protocol.h"

#include <Eigen/IterativeLinearSolvers>
#include <Eigen/OrderingMethods>
#include <Eigen/Sparse>
#include <Eigen/SparseLU>
#include <string>

using Rows = Eigen::SparseMatrix<double, Eigen::RowMajor>;
using Columns = Eigen::SparseMatrix<double, Eigen::ColMajor>;
using Vector = Eigen::VectorXd;

template <typename Solver>
static int iterate(Solver &solver, const Rows &A, const Vector &b, Vector &x, double rtol) {
  solver.setTolerance(rtol);
  solver.setMaxIterations(20000);
  solver.compute(A);
  x = solver.solve(b);
  return static_cast<int>(solver.iterations());
}

int main() {
  char line[4096], name[64], path[4000];
  Problem p = {};
  Rows rows;
  Columns columns;
  Vector b, x;
  Eigen::SparseLU<Columns, Eigen::COLAMDOrdering<int>> reused;
  bool analyzed = false;
  double rtol;
  int calls;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "problem %3999s", path) == 1) {
      free_problem(&p);
      if (!read_problem(path, &p)) {
        answer_done(0);
        continue;
      }
      rows = Eigen::Map<Rows>(p.n, p.n, p.nnz, p.indptr, p.indices, p.data);
      columns = rows;
      b = Eigen::Map<Vector>(p.b, p.n);
      x = Vector::Zero(p.n);
      analyzed = false;
      answer_done(1);
    } else if (sscanf(line, "solve %63s %lf %d", name, &rtol, &calls) == 3) {
      const std::string method = name;
      int iterations = 0;
      if (method == "lu-reused" && !analyzed) {
        reused.analyzePattern(columns);
        analyzed = true;
      }
      start_clocks();
      if (method == "lu") {
        for (int k = 0; k < calls; k++) {
          Eigen::SparseLU<Columns, Eigen::COLAMDOrdering<int>> solver;
          solver.compute(columns);
          x = solver.solve(b);
        }
      } else if (method == "lu-reused") {
        for (int k = 0; k < calls; k++) {
          reused.factorize(columns);
          x = reused.solve(b);
        }
      } else if (method == "bicgstab") {
        Eigen::BiCGSTAB<Rows> solver;
        for (int k = 0; k < calls; k++) iterations = iterate(solver, rows, b, x, rtol);
      } else if (method == "bicgstab-ilut") {
        Eigen::BiCGSTAB<Rows, Eigen::IncompleteLUT<double>> solver;
        solver.preconditioner().setDroptol(1e-3);
        solver.preconditioner().setFillfactor(2);
        for (int k = 0; k < calls; k++) iterations = iterate(solver, rows, b, x, rtol);
      } else {
        answer_error("unknown method");
        continue;
      }
      answer_times(iterations);
    } else if (sscanf(line, "write %3999s", path) == 1) {
      answer_done(write_vector(path, x.data(), p.n));
    } else {
      answer_error("unknown request");
    }
  }
  return 0;
}

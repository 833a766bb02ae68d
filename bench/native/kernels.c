/* The limit of the machine: the same five-point product, vector operations and BiCGSTAB in C, with the vectors that
 * the compiler's target has. Beside the requests of protocol.h:
 *   kernel NAME SIDE CALLS   dot, axpy or dia of a SIDE x SIDE grid
 *
 * The matrix is stored as the kernel stores it, in blocks of eight rows; vectors have a margin of zeros, so that no
 * row needs care. */
#include "protocol.h"

#if defined(__AVX512F__)
#define LANES 8
#elif defined(__AVX__)
#define LANES 4
#else
#define LANES 2
#endif
#define PARTS (8 / LANES)

typedef double V __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

#define LOAD(p) (*(const V *)(p))
#define STORE(p, v) (*(V *)(p) = (v))
#define EACH for (int l = 0; l < PARTS; l++)

static double total(const V *parts) {
  double sum = 0;
  EACH for (int k = 0; k < LANES; k++) sum += parts[l][k];
  return sum;
}

typedef struct {
  int n, blocks, width;
  double *data;
} Dia;

/* A vector of the matrix's size with its margins. */
static double *vector(const Dia *A) {
  return (double *)room(8 * (size_t)(A->blocks * 8 + 2 * A->width + 16)) + (A->width + 7) / 8 * 8;
}

static void release(const Dia *A, double *x) { free(x - (A->width + 7) / 8 * 8); }

/* y <- A x; with dots = 1: out <- y'u; with dots = 4: out <- y'x, y'y, y'u, x'u. */
static inline __attribute__((always_inline)) void product(
    const Dia *A, const double *x, double *y, const double *u, double *out, int dots) {
  const double *data = A->data;
  const int w = A->width;
  V yx[PARTS] = {0}, yy[PARTS] = {0}, yu[PARTS] = {0}, xu[PARTS] = {0};
  for (int k = 0; k < A->blocks; k++, data += 40, x += 8, y += 8, u += 8) {
    EACH {
      const double *a = data + l * LANES, *p = x + l * LANES;
      V sum = LOAD(a) * LOAD(p - w);
      sum += LOAD(a + 8) * LOAD(p - 1);
      sum += LOAD(a + 16) * LOAD(p);
      sum += LOAD(a + 24) * LOAD(p + 1);
      sum += LOAD(a + 32) * LOAD(p + w);
      STORE(y + l * LANES, sum);
      if (dots > 0) yu[l] += sum * LOAD(u + l * LANES);
      if (dots > 1) {
        yx[l] += sum * LOAD(p);
        yy[l] += sum * sum;
        xu[l] += LOAD(p) * LOAD(u + l * LANES);
      }
    }
  }
  if (dots == 1) out[0] = total(yu);
  if (dots == 4) {
    out[0] = total(yx);
    out[1] = total(yy);
    out[2] = total(yu);
    out[3] = total(xu);
  }
}

static __attribute__((noinline)) void dia(const Dia *A, const double *x, double *y) { product(A, x, y, x, 0, 0); }

static __attribute__((noinline)) double dia_dot(const Dia *A, const double *x, double *y, const double *u) {
  double out[1];
  product(A, x, y, u, out, 1);
  return out[0];
}

static __attribute__((noinline)) void dia_dots(
    const Dia *A, const double *x, double *y, const double *u, double *out) {
  product(A, x, y, u, out, 4);
}

static __attribute__((noinline)) double dot(int n, const double *x, const double *y) {
  V sum[4] = {0};
  int i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES)
    for (int l = 0; l < 4; l++) sum[l] += LOAD(x + i + l * LANES) * LOAD(y + i + l * LANES);
  V all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  double result = 0;
  for (int k = 0; k < LANES; k++) result += all[k];
  for (; i < n; i++) result += x[i] * y[i];
  return result;
}

static __attribute__((noinline)) void axpy(int n, double a, const double *x, double *y) {
  int i = 0;
  for (; i + 8 <= n; i += 8) EACH STORE(y + i + l * LANES, LOAD(y + i + l * LANES) + a * LOAD(x + i + l * LANES));
  for (; i < n; i++) y[i] += a * x[i];
}

/* r <- r - a v; returns r'r. */
static __attribute__((noinline)) double subtract(int blocks, double a, const double *v, double *r) {
  V sum[PARTS] = {0};
  for (int k = 0; k < blocks; k++, v += 8, r += 8) {
    EACH {
      V s = LOAD(r + l * LANES) - a * LOAD(v + l * LANES);
      STORE(r + l * LANES, s);
      sum[l] += s * s;
    }
  }
  return total(sum);
}

/* x <- x + alpha p + omega r, r <- r - omega t, p <- r + beta (p - omega v); returns r'r. */
static __attribute__((noinline)) double update(int blocks, double alpha, double omega, double beta, double *x,
                                               double *p, double *r, const double *v, const double *t) {
  V sum[PARTS] = {0};
  for (int k = 0; k < blocks; k++, x += 8, p += 8, r += 8, v += 8, t += 8) {
    EACH {
      const int o = l * LANES;
      V direction = LOAD(p + o), s = LOAD(r + o);
      STORE(x + o, LOAD(x + o) + alpha * direction + omega * s);
      V left = s - omega * LOAD(t + o);
      STORE(r + o, left);
      sum[l] += left * left;
      STORE(p + o, left + beta * (direction - omega * LOAD(v + o)));
    }
  }
  return total(sum);
}

typedef struct {
  double *x, *r, *shadow, *p, *v, *t;
} Vectors;

static int bicgstab(const Dia *A, const double *b, const Vectors *w, double rtol, int maxiter) {
  const size_t bytes = 8 * (size_t)A->n;
  memset(w->x, 0, bytes);
  memcpy(w->r, b, bytes);
  memcpy(w->shadow, b, bytes);
  memcpy(w->p, b, bytes);
  double rho = dot(A->n, b, b), target = rtol * rtol * rho;
  for (int iteration = 1; iteration <= maxiter; iteration++) {
    double alpha = rho / dia_dot(A, w->p, w->v, w->shadow);
    if (subtract(A->blocks, alpha, w->v, w->r) <= target) {
      axpy(A->n, alpha, w->p, w->x);
      return iteration;
    }
    double dots[4];
    dia_dots(A, w->r, w->t, w->shadow, dots);
    double omega = dots[0] / dots[1];
    double next = dots[3] - omega * dots[2];
    double beta = next / rho * (alpha / omega);
    rho = next;
    if (update(A->blocks, alpha, omega, beta, w->x, w->p, w->r, w->v, w->t) <= target) return iteration;
  }
  return maxiter;
}

/* The diagonals of a five-point matrix; data 0 where it is none. */
static Dia diagonals(const Problem *p) {
  Dia A = {p->n, (p->n + 7) / 8, 1, 0};
  for (int k = p->indptr[0]; k < p->indptr[1]; k++)
    if (p->indices[k] > A.width) A.width = p->indices[k];
  A.data = (double *)room(8 * (size_t)A.blocks * 40);
  for (int i = 0; i < p->n; i++) {
    for (int k = p->indptr[i]; k < p->indptr[i + 1]; k++) {
      int offset = p->indices[k] - i;
      int d = offset == -A.width ? 0 : offset == -1 ? 1 : offset == 0 ? 2 : offset == 1 ? 3 : offset == A.width ? 4 : -1;
      if (d < 0) {
        free(A.data);
        A.data = 0;
        return A;
      }
      A.data[(i / 8 * 5 + d) * 8 + i % 8] = p->data[k];
    }
  }
  return A;
}

static void time_kernel(const char *name, int side, int calls) {
  Dia A = {side * side, side * side / 8, side, 0};
  A.data = (double *)room(8 * (size_t)A.blocks * 40);
  for (int k = 0; k < A.blocks * 40; k++) A.data[k] = 0.1 + 1e-3 * (k % 7);
  double *x = vector(&A), *y = vector(&A), sum = 0;
  for (int k = 0; k < A.n; k++) x[k] = y[k] = 1 - 1e-3 * (k % 11);
  start_clocks();
  if (!strcmp(name, "dia"))
    for (int k = 0; k < calls; k++) dia(&A, x, y);
  else if (!strcmp(name, "dot"))
    for (int k = 0; k < calls; k++) sum += dot(A.n, x, y);
  else if (!strcmp(name, "axpy"))
    for (int k = 0; k < calls; k++) axpy(A.n, 1e-9, x, y);
  else
    sum = -1;
  if (sum == -1) answer_error("no such kernel");
  else answer_times(0);
  release(&A, x);
  release(&A, y);
  free(A.data);
}

int main(void) {
  char line[4096], name[64], path[4000];
  Problem p = {0};
  Dia A = {0};
  Vectors w = {0};
  double rtol;
  int side, calls;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "problem %3999s", path) == 1) {
      if (A.data) {
        double *all[] = {w.x, w.r, w.shadow, w.p, w.v, w.t};
        for (int k = 0; k < 6; k++) release(&A, all[k]);
        free(A.data);
        A.data = 0;
      }
      free_problem(&p);
      if (!read_problem(path, &p)) {
        answer_done(0);
        continue;
      }
      A = diagonals(&p);
      if (!A.data) {
        answer_error("not a five-point matrix");
        continue;
      }
      w = (Vectors){vector(&A), vector(&A), vector(&A), vector(&A), vector(&A), vector(&A)};
      answer_done(1);
    } else if (sscanf(line, "solve bicgstab %lf %d", &rtol, &calls) == 2 && A.data) {
      int iterations = 0;
      start_clocks();
      for (int k = 0; k < calls; k++) iterations = bicgstab(&A, p.b, &w, rtol, 100000);
      answer_times(iterations);
    } else if (sscanf(line, "write %3999s", path) == 1 && A.data) {
      answer_done(write_vector(path, w.x, A.n));
    } else if (sscanf(line, "kernel %63s %d %d", name, &side, &calls) == 3 && side >= 8 && side % 8 == 0) {
      time_kernel(name, side, calls);
    } else {
      answer_error("unknown request");
    }
  }
  return 0;
}

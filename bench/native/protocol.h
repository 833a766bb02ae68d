/* What the programs of this folder share: the systems they are given, clocks, and how they answer.
 *
 * A request is a line, an answer a line of JSON:
 *   problem PATH             reads a system
 *   solve METHOD RTOL CALLS  solves it CALLS times from zero: milliseconds in all, iterations of one
 *   write PATH               the last solution, f64 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  int n, nnz;
  int *indptr, *indices;
  double *data, *b;
} Problem;

static void *room(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (!p) exit(1);
  memset(p, 0, (bytes + 127) / 64 * 64);
  return p;
}

static int take(void *to, size_t size, size_t count, FILE *file) {
  return fread(to, size, count, file) == count;
}

/* n and nnz (i32), indptr, indices (i32), values, b (f64). */
static int read_problem(const char *path, Problem *p) {
  FILE *file = fopen(path, "rb");
  int head[2];
  if (!file || !take(head, 4, 2, file)) return 0;
  p->n = head[0];
  p->nnz = head[1];
  p->indptr = (int *)room(4 * (size_t)(p->n + 1));
  p->indices = (int *)room(4 * (size_t)p->nnz);
  p->data = (double *)room(8 * (size_t)p->nnz);
  p->b = (double *)room(8 * (size_t)p->n);
  int ok = take(p->indptr, 4, p->n + 1, file) && take(p->indices, 4, p->nnz, file) &&
           take(p->data, 8, p->nnz, file) && take(p->b, 8, p->n, file);
  fclose(file);
  return ok;
}

static void free_problem(Problem *p) {
  free(p->indptr);
  free(p->indices);
  free(p->data);
  free(p->b);
  memset(p, 0, sizeof *p);
}

static double milliseconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

static double cpu_began, wall_began;

static void start_clocks(void) {
  wall_began = milliseconds(CLOCK_MONOTONIC);
  cpu_began = milliseconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void answer_times(double iterations) {
  double cpu = milliseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
  double wall = milliseconds(CLOCK_MONOTONIC) - wall_began;
  printf("{\"cpu\": %.6f, \"wall\": %.6f, \"iterations\": %.1f}\n", cpu, wall, iterations);
  fflush(stdout);
}

static void answer_error(const char *what) {
  printf("{\"error\": \"%s\"}\n", what);
  fflush(stdout);
}

static void answer_done(int ok) {
  if (!ok) {
    answer_error("the file cannot be read or written");
    return;
  }
  printf("{}\n");
  fflush(stdout);
}

static int write_vector(const char *path, const double *x, int n) {
  FILE *file = fopen(path, "wb");
  if (!file) return 0;
  int ok = fwrite(x, 8, n, file) == (size_t)n;
  return fclose(file) == 0 && ok;
}

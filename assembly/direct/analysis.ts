// What a pattern alone decides: the ordering, its tree, and the columns' counts.

import { allocate, release } from '../memory/arena';
import { integerAt, integers, setInteger } from './access';
import { degreeRoom, degreeWork, minimumDegree } from './degree';
import { dissectionWork, nestedDissection } from './dissection';
import { byColumns, symmetrized } from './pattern';
import { Direct, directWork, DONE, OUT_OF_MEMORY } from './record';
import { spareColumn, transversalWork } from './transversal';
import { postorder } from './tree';

/** How to order. */
const AUTO: i32 = 0;
const DEGREE: i32 = 1;
const DISSECTION: i32 = 2;
const AS_IT_IS: i32 = 3;

/** Operations a row from which a second ordering is tried, and the share of them that it must do with. */
const WORTH_DISSECTION: f64 = 6000;
const WORTH_CHANGE: f64 = 0.9;

/** Fronts make a pattern symmetric; where that adds more than this share, columns are used. */
const MOST_ADDED: f64 = 0.5;

/**
 * Orders and analyses a pattern of ascending columns. `ordering`: 0 the one that suits it, 1 minimum degree,
 * 2 nested dissection, 3 as it is. `kind`: 0 what suits the values, 1 LU, 2 L D L' where the values are symmetric.
 * Returns 0, or 2 when there is no memory; `directRelease` gives back what there is in either case.
 */
export function directInit(
  direct: usize,
  n: i32,
  indptr: usize,
  indices: usize,
  ordering: i32,
  kind: i32,
  threshold: f64,
): i32 {
  const it = changetype<Direct>(direct);
  memory.fill(direct, 0, offsetof<Direct>());
  const nnz = integerAt(indptr, n);
  it.n = n;
  it.indptr = indptr;
  it.indices = indices;
  it.kind = kind;
  it.threshold = threshold;
  it.singular = -1;
  it.definite = true;
  const vector = <usize>n << 3;
  it.plan = allocate(12 * vector + (<usize>nnz << 3) + 4 * integers(n));
  it.graph = allocate(integers(n + 1) + 2 * integers(nnz));
  if (!it.plan || !it.graph) return OUT_OF_MEMORY;
  it.scale = it.plan;
  it.y = it.scale + vector;
  it.gather = it.y + 4 * vector;
  it.r = it.gather + 4 * vector;
  it.w = it.r + vector;
  it.kept = it.w + vector;
  it.scaled = it.kept + vector;
  it.order = it.scaled + (<usize>nnz << 3);
  it.place = it.order + integers(n);
  it.parent = it.place + integers(n);
  it.counts = it.parent + integers(n);
  it.start = it.graph;
  it.list = it.graph + integers(n + 1);

  const transposed = allocate(integers(n + 1) + integers(nnz));
  if (!transposed) return OUT_OF_MEMORY;
  const rows = transposed + integers(n + 1);
  byColumns(n, indptr, indices, transposed, rows, 0);
  const entries = symmetrized(n, indptr, indices, transposed, rows, it.start, it.list);
  release(transposed);
  let diagonal = 0;
  for (let i = 0; i < n; i++) {
    for (let p = integerAt(indptr, i); p < integerAt(indptr, i + 1); p++) {
      diagonal += i32(integerAt(indices, p) == i);
    }
  }
  it.symmetric = entries == nnz - diagonal;
  it.frontal = diagonal == n && <f64>entries <= (1 + MOST_ADDED) * <f64>(nnz - diagonal);
  it.spare = -1;
  if (diagonal < n) {
    const work = allocate(transversalWork(n));
    if (!work) return OUT_OF_MEMORY;
    it.spare = spareColumn(n, indptr, indices, work);
    release(work);
    // There will be no factors.
    if (it.spare >= 0) ordering = AS_IT_IS;
  }
  return analyse(it, ordering, entries) ? DONE : OUT_OF_MEMORY;
}

/** Orders, and finds the tree and the counts. */
function analyse(it: Direct, ordering: i32, entries: i32): bool {
  const n = it.n;
  if (!arrange(it, ordering == AUTO ? DEGREE : ordering, entries)) return false;
  if (ordering != AUTO || directWork(changetype<usize>(it)) < WORTH_DISSECTION * <f64>n) return true;
  // A second ordering takes no longer than a small part of the factorisation.
  const first = allocate(integers(n));
  if (!first) return false;
  memory.copy(first, it.order, <usize>n << 2);
  const work = directWork(changetype<usize>(it));
  let done = arrange(it, DISSECTION, entries);
  if (done && directWork(changetype<usize>(it)) > WORTH_CHANGE * work) {
    memory.copy(it.order, first, <usize>n << 2);
    it.ordering = DEGREE;
    done = grow(it);
  }
  release(first);
  return done;
}

/** Fills `order`, and all that follows from it. */
function arrange(it: Direct, ordering: i32, entries: i32): bool {
  const n = it.n;
  it.ordering = ordering;
  if (ordering == DEGREE) {
    const room = degreeRoom(n, entries);
    const list = allocate(integers(room) + degreeWork(n));
    if (!list) return false;
    memory.copy(list, it.list, <usize>entries << 2);
    minimumDegree(n, it.start, list, room, it.order, list + integers(room));
    release(list);
  } else if (ordering == DISSECTION) {
    const work = allocate(dissectionWork(n, entries));
    if (!work) return false;
    nestedDissection(n, it.start, it.list, it.order, work);
    release(work);
  } else {
    for (let k = 0; k < n; k++) setInteger(it.order, k, k);
  }
  return grow(it);
}

/** The tree of `order`, which is brought into its postorder. */
function grow(it: Direct): bool {
  const work = allocate(3 * integers(it.n));
  if (!work) return false;
  postorder(it.n, it.start, it.list, it.order, it.place, it.parent, it.counts, work);
  release(work);
  return true;
}

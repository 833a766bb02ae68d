// The arena: one linear memory, handed out in blocks aligned to 64 bytes (a cache line, four v128).
//
// Free blocks form a singly linked list in address order; neighbours are merged on release, and a free block at
// the top gives its room back to the unused part. A header of 64 bytes stands before each block, so that every
// payload is aligned. There is no managed heap in this module: the arena owns all above `__heap_base`.

const ALIGNMENT: usize = 64;
const HEADER: usize = 64;
const PAGE: usize = 65536;

@unmanaged
class Block {
  /** Bytes of payload, a multiple of the alignment. */
  size: usize;
  /** Next free block; meaningless while the block is in use. */
  next: usize;
}

const base: usize = (__heap_base + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
let top: usize = base;
/** Nothing from here on has ever been handed out: it is zero. */
let fresh: usize = base;
let firstFree: usize = 0;
let used: usize = 0;
let limit: usize = usize.MAX_VALUE;

/** Reserves `bytes`, zero-filled. Returns 0 when the limit is reached or memory cannot grow. */
export function allocate(bytes: usize): usize {
  if (bytes > usize.MAX_VALUE - PAGE) return 0;
  const size = max((bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1), ALIGNMENT);
  if (size > limit || used > limit - size) return 0;
  let block = takeFree(size);
  if (!block) block = takeTop(size);
  if (!block) return 0;
  used += changetype<Block>(block).size;
  const payload = block + HEADER;
  if (payload < fresh) memory.fill(payload, 0, min(size, fresh - payload));
  fresh = max(fresh, payload + size);
  return payload;
}

/** Gives back what `allocate` returned. 0 is allowed and ignored. */
export function release(pointer: usize): void {
  if (!pointer) return;
  const block = pointer - HEADER;
  used -= changetype<Block>(block).size;
  let before: usize = 0;
  let after = firstFree;
  while (after && after < block) {
    before = after;
    after = changetype<Block>(after).next;
  }
  changetype<Block>(block).next = after;
  if (before) changetype<Block>(before).next = block;
  else firstFree = block;
  mergeWithNext(block);
  if (before && mergeWithNext(before)) trimTop(before);
  else trimTop(block);
}

/** Bytes handed out and not yet given back, rounded up to the alignment. */
export function bytesInUse(): usize {
  return used;
}

/** Refuses allocations beyond `bytes` in use. */
export function setMemoryLimit(bytes: usize): void {
  limit = bytes;
}

function takeFree(size: usize): usize {
  let before: usize = 0;
  let block = firstFree;
  // A block is taken whole where a split would leave no room for another: the limit holds for that, too.
  while (block && (changetype<Block>(block).size < size || sizeTaken(block, size) > limit - used)) {
    before = block;
    block = changetype<Block>(block).next;
  }
  if (!block) return 0;
  const found = changetype<Block>(block);
  let next = found.next;
  if (sizeTaken(block, size) < found.size) {
    const remainder = block + HEADER + size;
    changetype<Block>(remainder).size = found.size - size - HEADER;
    changetype<Block>(remainder).next = next;
    found.size = size;
    next = remainder;
  }
  if (before) changetype<Block>(before).next = next;
  else firstFree = next;
  return block;
}

/** What a request for `size` bytes takes of a free block that is large enough. */
function sizeTaken(block: usize, size: usize): usize {
  const whole = changetype<Block>(block).size;
  return whole - size >= HEADER + ALIGNMENT ? size : whole;
}

function takeTop(size: usize): usize {
  // In 64 bits, so that a request near 4 GiB does not wrap.
  const end = <u64>top + <u64>HEADER + <u64>size;
  const pages = <i64>((end + <u64>PAGE - 1) >> 16) - <i64>memory.size();
  if (end > <u64>usize.MAX_VALUE) return 0;
  if (pages > 0 && memory.grow(<i32>pages) < 0) return 0;
  const block = top;
  changetype<Block>(block).size = size;
  top = <usize>end;
  return block;
}

function mergeWithNext(block: usize): bool {
  const it = changetype<Block>(block);
  const next = it.next;
  if (!next || block + HEADER + it.size != next) return false;
  it.size += HEADER + changetype<Block>(next).size;
  it.next = changetype<Block>(next).next;
  return true;
}

/** Returns a free block that touches the top to the unused part. It is the last one of the list. */
function trimTop(block: usize): void {
  if (block + HEADER + changetype<Block>(block).size != top) return;
  if (firstFree == block) {
    firstFree = 0;
  } else {
    let before = firstFree;
    while (changetype<Block>(before).next != block) before = changetype<Block>(before).next;
    changetype<Block>(before).next = 0;
  }
  top = block;
}

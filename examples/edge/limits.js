/** What a request may cost. A Worker has 128 MiB in all, and its plan's share of processor time. */
export const LIMITS = {
  /** Bytes of a body, decoded by the transport. */
  bytes: 8 * 2 ** 20,
  /** Rows of a matrix. */
  unknowns: 100_000,
  /** Entries of the matrix times iterations: about two seconds of work. */
  work: 1e9,
  /** Kernel memory of all requests of an isolate together, in bytes. */
  memory: 64 * 2 ** 20,
  /** Pixels of a picture, and time levels. */
  pixels: 128 * 128,
  steps: 50,
};

/** Milliseconds for a request; the variable TIME_LIMIT_MS of the deployment sets another. */
export function timeLimit(env) {
  const given = Number(env?.TIME_LIMIT_MS);
  return given > 0 ? given : 5000;
}

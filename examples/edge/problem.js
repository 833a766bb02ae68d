import { SeedspanError } from 'seedspan';

/** A request that cannot be served: becomes a JSON problem (RFC 9457) with its status code. */
export class Problem extends Error {
  constructor(status, title, detail, more = {}) {
    super(detail);
    Object.assign(this, { status, title, more });
  }
}

const TITLES = { 400: 'malformed request', 413: 'too large', 422: 'no solution' };
/** Status codes of errors of the library; those not listed are the request's fault. */
const STATUS = { ZERO_PIVOT: 422, OUT_OF_MEMORY: 413 };
/** What a request cannot bring about. */
const OURS = ['UNSUPPORTED', 'DISPOSED', 'BUSY', 'IO'];

/** The response to whatever was thrown. */
export function problemResponse(error) {
  const problem = asProblem(error);
  const { status, title, message, more } = problem;
  const headers = { 'content-type': 'application/problem+json' };
  if (status === 405) headers.allow = more.allow;
  return new Response(JSON.stringify({ title, status, detail: message, ...more }), { status, headers });
}

function asProblem(error) {
  if (error instanceof Problem) return error;
  if (error instanceof SeedspanError && !OURS.includes(error.code)) {
    const status = STATUS[error.code] ?? 400;
    return new Problem(status, TITLES[status], error.message, { code: error.code });
  }
  // AbortSignal.timeout's reason.
  if (error?.name === 'TimeoutError') {
    return new Problem(
      504,
      'time limit reached',
      'the work was not done within the time limit; nothing is returned',
    );
  }
  console.error(error);
  return new Problem(500, 'internal error', 'the Worker failed; its log says how');
}

import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

/**
 * The request's body as bytes. One over the limit is read on for as much again, and dropped, so that its sender gets
 * the answer and no broken connection.
 */
export async function readBody(request) {
  const parts = [];
  let length = 0;
  for await (const part of request.body ?? []) {
    length += part.byteLength;
    if (length > 2 * LIMITS.bytes) break;
    if (length <= LIMITS.bytes) parts.push(part);
  }
  if (length > LIMITS.bytes) {
    throw new Problem(413, 'too large', `a body may have ${LIMITS.bytes} bytes`, { limit: LIMITS.bytes });
  }
  if (length === 0) throw new Problem(400, 'malformed request', 'the body is empty');
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** `application/json; charset=utf-8` -> `application/json`. */
export const mediaType = (request) =>
  (request.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();

import { createEngine } from 'seedspan';
import { LIMITS, timeLimit } from './limits.js';
import { Problem, problemResponse } from './problem.js';
import { scores } from './scores.js';
import { solve } from './solve.js';

const ROUTES = { '/solve': solve, '/scores': scores };
const USAGE = `POST /solve   a sparse system: MatrixMarket, or the binary form (application/octet-stream)
              ?method=&preconditioner=&rtol=&maxiter=   Accept: application/json or application/x-npy
POST /scores  a picture, .npy [H, W] or [C, H, W] in [0, 1]
              ?scheme=&sde=&steps=                      returns .npy
`;

/** One kernel for all requests of an isolate. */
let engine;

async function loadEngine() {
  if (engine !== undefined) return engine;
  const made = await createEngine({ memoryLimit: LIMITS.memory });
  // Two first requests may have made one each.
  if (engine === undefined) engine = made;
  else made.dispose();
  return engine;
}

async function route(request, env) {
  const { pathname } = new URL(request.url);
  if (pathname === '/' && request.method === 'GET') return new Response(USAGE);
  const serve = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname] : undefined;
  if (serve === undefined) throw new Problem(404, 'not found', `there is no ${pathname}; see /`);
  if (request.method !== 'POST') {
    throw new Problem(405, 'method not allowed', `${pathname} takes POST`, { allow: 'POST' });
  }
  return serve(request, await loadEngine(), AbortSignal.timeout(timeLimit(env)));
}

export default {
  async fetch(request, env) {
    try {
      return await route(request, env);
    } catch (error) {
      return problemResponse(error);
    }
  },
};

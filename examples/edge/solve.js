import { writeNpy } from 'seedspan/formats';
import { LIMITS } from './limits.js';
import { Problem } from './problem.js';
import { readSystem } from './system.js';

const OPTIONS = { method: String, preconditioner: String, rtol: Number, maxiter: Number };

/** POST /solve: the solution as JSON, or as .npy where the request accepts that. */
export async function solve(request, engine, signal) {
  // First the body: an answer before it was read can break the connection.
  const { A, b } = await readSystem(request);
  const asked = readOptions(new URL(request.url).searchParams);
  const most = Math.max(1, Math.floor(LIMITS.work / Math.max(A.nnz, 1)));
  const maxiter = Math.min(asked.maxiter ?? 10_000, most);
  const result = await engine.solveAsync(A, b, { method: 'auto', ...asked, maxiter, signal });
  const { x, status, iterations, residualNorm } = result;
  if (status !== 'converged') {
    const detail = `the solve ended with ${status} after ${iterations} iterations, at most ${maxiter}`;
    // What is not finite is no JSON number.
    const norm = Number.isFinite(residualNorm) ? residualNorm : String(residualNorm);
    throw new Problem(422, 'no solution', detail, { solve: status, iterations, residualNorm: norm });
  }
  const accept = request.headers.get('accept') ?? '';
  if (/application\/(x-npy|octet-stream)/.test(accept)) {
    const headers = { 'content-type': 'application/x-npy', 'x-iterations': String(iterations) };
    return new Response(writeNpy({ data: x, shape: [x.length] }), { headers });
  }
  return Response.json({ status, iterations, residualNorm, x: Array.from(x) });
}

function readOptions(parameters) {
  const options = {};
  for (const [name, text] of parameters) {
    const convert = OPTIONS[name];
    if (convert === undefined) {
      const detail = `unknown parameter "${name}"; known: ${Object.keys(OPTIONS).join(', ')}`;
      throw new Problem(400, 'malformed request', detail);
    }
    options[name] = convert(text);
  }
  return options;
}

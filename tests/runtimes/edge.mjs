// The example for the edge, in workerd: good requests against what Node computes, and bad ones.
import assert from 'node:assert/strict';
import { constantDiffusion, precomputeScores } from '../../build/package/diffusion/index.js';
import { readNpy, writeMatrixMarket, writeNpy } from '../../build/package/formats/index.js';
import { createEngine, poisson2d, randomDiagonallyDominant } from '../../build/package/index.js';
import { startWorker } from './worker-run.mjs';

/** The example's compact form of a system. */
export function binarySystem(A, b) {
  const [n] = A.shape;
  const values = Math.ceil((16 + 4 * (n + 1 + A.nnz)) / 8) * 8;
  const buffer = new ArrayBuffer(values + 8 * (A.nnz + n));
  new Uint8Array(buffer).set(new TextEncoder().encode('SSYS'));
  new Uint32Array(buffer, 4, 3).set([1, n, A.nnz]);
  new Int32Array(buffer, 16).set(A.indptr);
  new Int32Array(buffer, 16 + 4 * (n + 1)).set(A.indices);
  new Float64Array(buffer, values).set(A.data);
  new Float64Array(buffer, values + 8 * A.nnz).set(b);
  return new Uint8Array(buffer);
}

const BINARY = { 'content-type': 'application/octet-stream' };

/** Starts the bundle and asks it everything. Returns the number of requests. */
export async function checkEdge(bundle) {
  const worker = await startWorker(bundle);
  let count = 0;
  const ask = (path, body, headers = {}, method = 'POST') => {
    count++;
    return worker.fetch(`http://localhost${path}`, { method, body, headers, duplex: 'half' });
  };
  const refused = async (status, text, ...request) => {
    const response = await ask(...request);
    const problem = await response.json();
    const what = `${request[0]}: ${JSON.stringify(problem)}`;
    assert.equal(response.status, status, what);
    assert.equal(problem.status, status, what);
    assert.equal(response.headers.get('content-type'), 'application/problem+json', what);
    assert.match(problem.detail, text, what);
    return { response, problem };
  };
  try {
    await goodRequests(ask);
    await badRequests(refused);
    // After all that the isolate lives and its memory is free.
    await goodRequests(ask);
  } finally {
    await worker.dispose();
  }
  return count + (await slowRequests(bundle));
}

async function goodRequests(ask) {
  const engine = await createEngine();
  const A = randomDiagonallyDominant({ n: 400, seed: 5 });
  const b = Float64Array.from({ length: 400 }, (_, k) => ((k * 37) % 101) / 101);
  const { x } = engine.solve(A, b, { method: 'bicgstab', rtol: 1e-12 });
  const near = (y) => {
    assert.equal(y.length, x.length);
    for (const [k, value] of y.entries()) assert.ok(Math.abs(value - x[k]) < 1e-9, `x[${k}] is ${value}`);
  };

  const json = await (await ask('/solve?rtol=1e-12', binarySystem(A, b), BINARY)).json();
  assert.equal(json.status, 'converged');
  near(json.x);
  const text = writeMatrixMarket(A) + writeMatrixMarket({ data: b, shape: [400, 1] });
  const npy = await ask('/solve?rtol=1e-12&method=gmres&preconditioner=ilu0', text, {
    accept: 'application/x-npy',
    'content-type': 'text/plain',
  });
  near(readNpy(new Uint8Array(await npy.arrayBuffer())).data);
  const ones = await (await ask('/solve', writeMatrixMarket(poisson2d(5, 5)))).json();
  assert.equal(ones.x.length, 25);
  assert.equal((await ask('/', undefined, {}, 'GET')).status, 200);

  const picture = {
    data: new Float64Array(3 * 12 * 10).map((_, k) => ((k * 13) % 29) / 28),
    shape: [3, 12, 10],
  };
  const response = await ask('/scores?steps=5&sde=constant:0.4', writeNpy(picture));
  const field = readNpy(new Uint8Array(await response.arrayBuffer()));
  const images = { data: picture.data, shape: [1, ...picture.shape] };
  const expected = await precomputeScores({ images, steps: 5, sde: constantDiffusion(0.4), engine });
  assert.deepEqual(field.shape, expected.scores.shape.slice(1));
  assert.deepEqual(field.data, expected.scores.data);
  engine.dispose();
}

async function badRequests(refused) {
  const A = poisson2d(10, 10);
  const b = new Float64Array(100).fill(1);
  const good = binarySystem(A, b);
  const changed = (change) => {
    const bytes = good.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };
  const { response } = await refused(405, /takes POST/, '/solve', undefined, {}, 'GET');
  assert.equal(response.headers.get('allow'), 'POST');
  await refused(404, /there is no \/other/, '/other', 'x');
  await refused(404, /there is no/, '/constructor', 'x');
  await refused(400, /empty/, '/solve', '');
  await refused(400, /line 1/, '/solve', 'not a matrix');
  await refused(400, /line/, '/solve', '%%MatrixMarket matrix coordinate real general\n2 2 9\n1 1 1\n');
  await refused(
    400,
    /must be square/,
    '/solve',
    '%%MatrixMarket matrix coordinate real general\n1 2 1\n1 1 1\n',
  );
  await refused(400, /coordinate form/, '/solve', '%%MatrixMarket matrix array real general\n1 1\n1\n');
  await refused(400, /SSYS/, '/solve', new Uint8Array(7), BINARY);
  await refused(
    400,
    /version 2/,
    '/solve',
    changed((view) => view.setUint32(4, 2, true)),
    BINARY,
  );
  await refused(
    400,
    /bytes/,
    '/solve',
    changed((view) => view.setUint32(12, 2 ** 31, true)),
    BINARY,
  );
  await refused(400, /bytes/, '/solve', good.subarray(0, 100), BINARY);
  await refused(
    400,
    /indices|column/,
    '/solve',
    changed((view) => view.setInt32(16 + 4 * 101, 1000, true)),
    BINARY,
  );
  await refused(
    400,
    /finite/,
    '/solve',
    changed((view) => view.setFloat64(good.length - 8, Number.NaN, true)),
    BINARY,
  );
  await refused(400, /unknown parameter "sharing"/, '/solve?sharing=auto', good, BINARY);
  await refused(400, /method/, '/solve?method=magic', good, BINARY);
  await refused(400, /rtol/, '/solve?rtol=small', good, BINARY);
  await refused(
    413,
    /unknowns|size/,
    '/solve',
    changed((view) => view.setUint32(8, 2 ** 30, true)),
    BINARY,
  );
  const { problem } = await refused(413, /bytes/, '/solve', new Uint8Array(8 * 2 ** 20 + 1), BINARY);
  assert.equal(problem.limit, 8 * 2 ** 20);
  // Without a declared length, too.
  let sent = 0;
  const stream = new ReadableStream({
    pull: (controller) => (sent++ < 9 ? controller.enqueue(new Uint8Array(2 ** 20)) : controller.close()),
  });
  await refused(413, /bytes/, '/solve', stream, BINARY);
  await refused(422, /max-iterations/, '/solve?maxiter=3&method=cg', good, BINARY);
  await refused(
    422,
    /breakdown/,
    '/solve?method=lu',
    '%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 1\n',
  );
  const scattered = randomDiagonallyDominant({ n: 20_000, seed: 1 });
  await refused(
    413,
    /no room/,
    '/solve?method=lu',
    binarySystem(scattered, new Float64Array(20_000)),
    BINARY,
  );
  await refused(400, /npy/i, '/scores', 'not an array');
  await refused(400, /array \[H, W\]/, '/scores', writeNpy({ data: new Float64Array(4), shape: [4] }));
  await refused(400, /floating/, '/scores', writeNpy({ data: new Uint8Array(4), shape: [2, 2] }));
  await refused(400, /\[0, 1\]/, '/scores', writeNpy({ data: new Float64Array(16).fill(7), shape: [4, 4] }));
  await refused(
    413,
    /pixels|elements/,
    '/scores',
    writeNpy({ data: new Float32Array(300 * 300), shape: [300, 300] }),
  );
  await refused(413, /steps/, '/scores?steps=1000', writeNpy({ data: new Float64Array(16), shape: [4, 4] }));
  await refused(400, /sde/, '/scores?sde=magic', writeNpy({ data: new Float64Array(16), shape: [4, 4] }));
}

/** With a time limit of a few milliseconds. */
async function slowRequests(bundle) {
  const worker = await startWorker(bundle, { bindings: { TIME_LIMIT_MS: '30' } });
  try {
    const A = poisson2d(250, 250);
    const body = binarySystem(A, new Float64Array(A.shape[0]).fill(1));
    const path = '/solve?method=gmres&preconditioner=none&rtol=1e-14';
    for (let k = 0; k < 3; k++) {
      const response = await worker.fetch(`http://localhost${path}`, {
        method: 'POST',
        body,
        headers: BINARY,
      });
      assert.equal(response.status, 504, await response.text());
    }
    const small = binarySystem(poisson2d(4, 4), new Float64Array(16).fill(1));
    const response = await worker.fetch('http://localhost/solve', {
      method: 'POST',
      body: small,
      headers: BINARY,
    });
    assert.equal((await response.json()).status, 'converged');
  } finally {
    await worker.dispose();
  }
  return 4;
}

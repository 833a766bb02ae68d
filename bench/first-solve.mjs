// The first solve of a process, as the built package does it: run by solve.ts, anew for each sample. Prints JSON,
// in milliseconds: importing the package, loading the engine (compilation included), making a matrix, the first
// solve, and a second one. Arguments: method, preconditioner, and the file of the system (n, nnz: i32; indptr,
// indices: i32; values, b: f64).

import { readFileSync } from 'node:fs';

const [method, preconditioner, file] = process.argv.slice(2);
const bytes = readFileSync(file);
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const [n, nnz] = new Int32Array(buffer, 0, 2);
const integers = 4 * (n + 1 + nnz);
const indptr = new Int32Array(buffer, 8, n + 1);
const indices = new Int32Array(buffer, 8 + 4 * (n + 1), nnz);
const values = new Float64Array(buffer.slice(8 + integers));
const data = values.slice(0, nnz);
const b = values.slice(nnz);

const times = [performance.now()];
const { createEngine, csr } = await import('../build/package/index.js');
times.push(performance.now());
const A = csr({ shape: [n, n], indptr, indices, data });
times.push(performance.now());
const engine = await createEngine();
times.push(performance.now());
const first = engine.solve(A, b, { method, preconditioner, rtol: 1e-8 });
times.push(performance.now());
engine.solve(A, b, { method, preconditioner, rtol: 1e-8 });
times.push(performance.now());
const [imported, matrix, engineReady, solved, again] = times.slice(1).map((time, k) => time - times[k]);
console.log(
  JSON.stringify({ imported, matrix, engine: engineReady, solve: solved, again, status: first.status }),
);

// In a page: the kernel as a file of its own, beside a bundle that has none.
import { convectionDiffusion2d, poisson2d, randomDiagonallyDominant } from 'seedspan';
import { createEngine } from 'seedspan/external';
import { solveOnce } from './suite.mjs';

const core = { convectionDiffusion2d, poisson2d, randomDiagonallyDominant };
const file = new URL('simd.wasm', location.href);
let outcome;
try {
  const digests = [];
  const bytes = await (await fetch(file)).arrayBuffer();
  for (const wasm of [file, String(file), fetch(file), bytes, await WebAssembly.compile(bytes)]) {
    const engine = await createEngine({ wasm });
    digests.push(solveOnce({ core }, engine));
    engine.dispose();
  }
  const missing = await createEngine({ wasm: '/missing.wasm' }).catch((error) => error.code);
  const wrong = await createEngine({ wasm: new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]) }).catch(
    (e) => e.code,
  );
  outcome = { result: { digests, codes: [missing, wrong] } };
} catch (error) {
  outcome = { error: { code: error.code, message: String(error.message), stack: String(error.stack) } };
}
await fetch('/outcome', { method: 'POST', body: JSON.stringify(outcome) });

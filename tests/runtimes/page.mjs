// In a page: runs what the address asks for, and sends the outcome to the server that the page came from.
import * as core from 'seedspan';
import * as diffusion from 'seedspan/diffusion';
import * as formats from 'seedspan/formats';
import { runSuite, solveOnce } from './suite.mjs';

const asked = new URLSearchParams(location.search).get('run');
const modules = { core, diffusion, formats };

const runs = {
  suite: () => runSuite(modules),
  /** As in a browser without SIMD: one that finds no module with its instructions valid. */
  'without-simd': async () => {
    const { validate } = WebAssembly;
    WebAssembly.validate = (bytes) => !bytes.includes(0xfd) && validate(bytes);
    const engine = await core.createEngine();
    return { build: engine.build, digest: solveOnce(modules, engine) };
  },
};

let outcome;
try {
  outcome = { result: await runs[asked]() };
} catch (error) {
  outcome = { error: { code: error.code, message: String(error.message), stack: String(error.stack) } };
}
await fetch('/outcome', { method: 'POST', body: JSON.stringify(outcome) });

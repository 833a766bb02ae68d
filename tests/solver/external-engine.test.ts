import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createEngine, type ExternalEngineOptions, type ExternalKernel } from '../../src/external.ts';
import { poisson2d } from '../../src/index.ts';
import { BUILDS } from '../../src/wasm/builds.ts';

const file = (build: string) =>
  new Uint8Array(readFileSync(new URL(`../../build/kernel/${build}.wasm`, import.meta.url)));
const simd = file('simd');
const A = poisson2d(8, 8);
const b = new Float64Array(64).fill(1);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const response = (body: BodyInit, type = 'application/wasm', status = 200) =>
  new Response(body, { status, headers: { 'content-type': type } });

/** The code and message of the error. */
async function refusal(options: unknown): Promise<string> {
  const error = await createEngine(options as ExternalEngineOptions).then(
    () => undefined,
    (caught) => caught,
  );
  return `${error?.code} ${error?.message}`;
}

describe('an engine from a kernel outside', () => {
  const forms: [string, () => ExternalKernel | Promise<ExternalKernel>][] = [
    ['bytes', () => simd],
    ['a part of a buffer', () => new Uint8Array([1, ...simd, 2]).subarray(1, 1 + simd.length)],
    ['a buffer', () => simd.slice().buffer],
    ['a module', () => new WebAssembly.Module(simd)],
    ['a promise of a module', () => WebAssembly.compile(simd)],
    ['a response, compiled as it comes', () => response(simd)],
    ['a response of another type', () => response(simd, 'application/octet-stream')],
    ['a URL', () => new URL(`data:application/wasm;base64,${Buffer.from(simd).toString('base64')}`)],
    ['the text of a URL', () => `data:application/wasm;base64,${Buffer.from(simd).toString('base64')}`],
  ];

  it.each(forms)('takes %s', async (_what, make) => {
    using engine = await createEngine({ wasm: make() });
    expect(engine.build).toBe('simd');
    const { status, residualNorm } = engine.solve(A, b, { rtol: 1e-10 });
    expect(status).toBe('converged');
    expect(residualNorm).toBeLessThanOrEqual(1e-10 * 8);
  });

  it('knows which build it was given', async () => {
    using engine = await createEngine({ wasm: file('scalar') });
    expect(engine.build).toBe('scalar');
    for (const build of BUILDS) expect(new TextDecoder().decode(file(build).slice(-40))).toContain(build);
  });

  it('keeps to a memory limit', async () => {
    using engine = await createEngine({ wasm: simd, memoryLimit: 1000 });
    expect(() => engine.solve(A, b)).toThrow(/no room/);
  });

  it('refuses what is no kernel, and kernels of other versions', async () => {
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    expect(await refusal({ wasm: empty })).toMatch(/^BAD_FORMAT .*no kernel of seedspan/);
    expect(await refusal({ wasm: Uint8Array.of(1, 2, 3) })).toMatch(/^BAD_FORMAT .*simd\.wasm/);
    expect(await refusal({ wasm: response('<html>', 'text/html') })).toMatch(/^BAD_FORMAT/);
    const old = Uint8Array.of(...empty, 0, 19, 8, ...new TextEncoder().encode('seedspansimd 0.0.1'));
    expect(await refusal({ wasm: old })).toMatch(
      /^BAD_FORMAT .*kernel of seedspan 0\.0\.1; this is seedspan \d/,
    );
  });

  it('says what was not found', async () => {
    expect(await refusal({ wasm: response('', 'text/plain', 404) })).toMatch(/^IO .*status 404/);
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
    expect(await refusal({ wasm: '/simd.wasm' })).toMatch(/^IO .*"\/simd\.wasm": no network/);
  });

  it.each([
    [undefined, /^INVALID_TYPE .*not undefined/],
    [{}, /^INVALID_TYPE .*wasm must be a URL/],
    [{ wasm: 5 }, /^INVALID_TYPE .*not 5/],
    [{ wasm: simd, build: 'simd' }, /^UNKNOWN_OPTION .*known: wasm, memoryLimit/],
    [{ wasm: simd, memoryLimit: -1 }, /^INVALID_VALUE .*memoryLimit/],
  ])('refuses %o', async (options, message) => {
    expect(await refusal(options)).toMatch(message);
  });

  // What Chromium, Firefox and workerd say; the browsers' own words are tested in the browsers.
  it.each([
    ["Refused to compile because 'wasm-unsafe-eval' is not allowed", /script-src 'self' 'wasm-unsafe-eval'/],
    ['call to WebAssembly.compile() blocked by CSP', /Content-Security-Policy/],
    [
      'WebAssembly.compile(): Wasm code generation disallowed by embedder',
      /import the \.wasm file as a module/,
    ],
  ])('where compiling is forbidden (%s), says how it is allowed', async (said, told) => {
    const fail = () => Promise.reject(new WebAssembly.CompileError(said));
    vi.spyOn(WebAssembly, 'compile').mockImplementation(fail);
    vi.spyOn(WebAssembly, 'compileStreaming').mockImplementation(fail);
    for (const wasm of [simd, response(simd)]) {
      const message = await refusal({ wasm });
      expect(message).toMatch(/^UNSUPPORTED/);
      expect(message).toMatch(told);
    }
  });
});

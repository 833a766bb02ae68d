/** What nobody should give as an argument, by name, so that a case can be kept as text. */

class Named {}

// biome-ignore format: a table
export const VALUES: Record<string, () => unknown> = {
  undefined: () => undefined, null: () => null, true: () => true, false: () => false,
  zero: () => 0, 'minus zero': () => -0, one: () => 1, two: () => 2, three: () => 3, half: () => 0.5, 'minus one': () => -1,
  NaN: () => Number.NaN, Infinity: () => Infinity, '-Infinity': () => -Infinity, '2^31 - 1': () => 2 ** 31 - 1,
  '2^31': () => 2 ** 31, '2^32': () => 2 ** 32, '2^53': () => 2 ** 53, '2^62': () => 2 ** 62, '1e308': () => 1e308, '5e-324': () => 5e-324,
  bigint: () => 1n, 'a long bigint': () => 10n ** 5000n, symbol: () => Symbol('s'), 'boxed number': () => Object(3),
  'empty text': () => '', text: () => 'abc', number: () => '3', 'a long text': () => 'x'.repeat(1e5), 'lone surrogate': () => '\ud800',
  '__proto__': () => '__proto__', constructor: () => 'constructor', toString: () => 'toString',
  function: () => () => 1, 'a long function': () => new Function(`return 1;//${'x'.repeat(1e4)}`),
  'function of NaN': () => () => Number.NaN, 'a promise': () => async () => 1,
  object: () => ({}), 'no prototype': () => Object.create(null), instance: () => new Named(), date: () => new Date(0), invalid: () => new Date(Number.NaN),
  map: () => new Map([[1, 2]]), set: () => new Set([1]), regexp: () => /x/, error: () => new Error('x'), url: () => new URL('file:///nowhere'),
  'constructor null': () => ({ constructor: null }), 'constructor with a symbol for name': () => ({ constructor: { name: Symbol('s') } }),
  'constructor with a long name': () => ({ constructor: { name: 'x'.repeat(1e5) } }),
  list: () => [], ones: () => [1, 1], 'four numbers': () => [0, 1, 2, 3], holes: () => Object.assign(Array(4), { 1: 1, 3: 2 }), texts: () => ['1', 'x'], symbols: () => [Symbol('s'), 1],
  bigints: () => [1n, 2n], nulls: () => [null, Object.create(null)], nested: () => [[1, 0], [0, 1]], 'a long list': () => Array(2000).fill(1e300 / 3),
  'list without constructor': () => Object.assign([1, 2], { constructor: null }), 'with NaN': () => [Number.NaN, 1],
  float64: () => Float64Array.of(1, 2, 3, 4), float32: () => Float32Array.of(1, 2, 3, 4), int32: () => Int32Array.of(0, 1, 2), uint8: () => new Uint8Array(4), 'no numbers': () => new Float64Array(0),
  'NaN in it': () => Float64Array.of(Number.NaN, 1, 2, 3), bigint64: () => new BigInt64Array(4), view: () => new DataView(new ArrayBuffer(32)), buffer: () => new ArrayBuffer(32),
  'length 2^40': () => ({ length: 2 ** 40 }), 'length 2^31': () => ({ length: 2 ** 31 }), 'length -1': () => ({ length: -1 }), 'length 1.5': () => ({ length: 1.5 }), 'length NaN': () => ({ length: Number.NaN }), 'length text': () => ({ length: '4' }), 'array-like': () => ({ length: 4, 0: 1, 1: 2, 2: 3, 3: 4 }),
  'shape of 2^40': () => [2 ** 20, 2 ** 20], 'shape of 2^62': () => [2 ** 31 - 1, 2 ** 31 - 1], 'shape -1': () => [-1, -1], 'an array': () => ({ data: Float64Array.of(1, 2, 3, 4), shape: [1, 1, 2, 2] }),
  'an array of promises': () => ({ data: Float64Array.of(1), shape: [2 ** 40, 2 ** 40, 1, 1] }), 'shape of symbols': () => ({ data: Float64Array.of(1), shape: [Symbol('s')] }),
  'shape of nothing': () => ({ data: new Float64Array(0), shape: [] }), 'shape of objects': () => ({ data: Float64Array.of(1), shape: [Object.create(null)] }), 'a long shape': () => ({ data: Float64Array.of(1), shape: Array(5000).fill(1) }),
  'own __proto__': () => JSON.parse('{"__proto__": {"polluted": true}, "rtol": 1}'), aborted: () => AbortSignal.abort(), signal: () => new AbortController().signal,
};

export const NASTY = Object.keys(VALUES);

import { clip, SeedspanError, show } from '../errors.ts';

/** What a `.npy` header says. */
export interface NpyHeader {
  /** NumPy's type string: `<f8`. */
  descr: string;
  fortranOrder: boolean;
  shape: number[];
}

/** NumPy's own limit. */
export const MAX_RANK = 64;

type Token = { kind: 'string' | 'word' | 'integer' | 'mark'; text: string };

function fail(message: string, details: Record<string, unknown> = {}): never {
  throw new SeedspanError('BAD_FORMAT', `readNpy: ${message}`, details);
}

/** Cuts the header, a Python literal, into strings without escapes, words, integers and punctuation. */
function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const run = (from: number, isPart: (c: string) => boolean) => {
    let end = from;
    while (end < text.length && isPart(text[end])) end++;
    return text.slice(from, end);
  };
  const isDigit = (c: string) => c >= '0' && c <= '9';
  const isLetter = (c: string) => (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c === '_';
  for (let at = 0; at < text.length; ) {
    const c = text[at];
    if (c === ' ' || c === '\t' || c === '\r' || c === '\n') {
      at++;
    } else if ('{}()[],:'.includes(c)) {
      tokens.push({ kind: 'mark', text: c });
      at++;
    } else if (c === "'" || c === '"') {
      const inside = run(at + 1, (d) => d !== c && d !== '\\' && d !== '\n');
      if (text[at + 1 + inside.length] !== c) fail(`header has a string without an end at character ${at}`);
      tokens.push({ kind: 'string', text: inside });
      at += inside.length + 2;
    } else if (isDigit(c) || c === '-') {
      const digits = run(at + 1, isDigit);
      tokens.push({ kind: 'integer', text: c + digits });
      at += 1 + digits.length;
      // Python 2 wrote long integers as 3L.
      if (text[at] === 'L') at++;
    } else if (isLetter(c)) {
      const word = run(at, isLetter);
      tokens.push({ kind: 'word', text: word });
      at += word.length;
    } else {
      fail(`header has ${show(c)} at character ${at}, where none can be`);
    }
  }
  return tokens;
}

/**
 * Reads `{'descr': ..., 'fortran_order': ..., 'shape': ...}`: these three keys, once each, in any order.
 *
 * @throws SeedspanError `BAD_FORMAT`.
 */
export function parseNpyHeader(text: string): NpyHeader {
  const tokens = tokenize(text);
  let next = 0;
  const isMark = (mark: string) => tokens[next]?.kind === 'mark' && tokens[next].text === mark;
  const takeMark = (mark: string) => {
    if (!isMark(mark)) fail(`header needs ${show(mark)} before ${show(tokens[next]?.text ?? 'its end')}`);
    next++;
  };
  const take = (kind: Token['kind'], what: string) => {
    const token = tokens[next++];
    if (token?.kind !== kind) fail(`header needs ${what} and has ${show(token?.text ?? 'its end')}`);
    return token.text;
  };

  const takeDescr = () => {
    if (isMark('[')) fail("structured types are not read; save one field, as in a['x'].astype('<f8')");
    return take('string', 'a type string');
  };
  const takeBoolean = () => {
    const word = take('word', 'True or False');
    if (word !== 'True' && word !== 'False')
      fail(`header's fortran_order is ${show(word)}, must be True or False`);
    return word === 'True';
  };
  const takeShape = () => {
    const shape: number[] = [];
    takeMark('(');
    while (!isMark(')')) {
      const text = take('integer', 'an integer');
      const size = Number(text);
      if (!Number.isSafeInteger(size) || size < 0)
        fail(`shape has ${clip(text)}, must be an integer from 0`, { size: text });
      shape.push(size);
      // (3) is a number in Python, (3,) a tuple.
      if (!isMark(')') || shape.length === 1) takeMark(',');
    }
    takeMark(')');
    if (shape.length > MAX_RANK) fail(`shape has ${shape.length} dimensions, at most ${MAX_RANK} are read`);
    return shape;
  };

  const header: Partial<NpyHeader> = {};
  const once = (key: keyof NpyHeader) => {
    if (key in header) fail(`header has ${key} twice`);
  };
  takeMark('{');
  while (!isMark('}')) {
    const key = take('string', 'a key');
    takeMark(':');
    if (key === 'descr') {
      once('descr');
      header.descr = takeDescr();
    } else if (key === 'fortran_order') {
      once('fortranOrder');
      header.fortranOrder = takeBoolean();
    } else if (key === 'shape') {
      once('shape');
      header.shape = takeShape();
    } else {
      fail(`header has the key ${show(key)}; known are descr, fortran_order and shape`, { key });
    }
    if (!isMark('}')) takeMark(',');
  }
  takeMark('}');
  if (next < tokens.length) fail(`header goes on with ${show(tokens[next].text)} after its end`);
  const { descr, fortranOrder, shape } = header;
  if (descr === undefined) fail('header lacks descr');
  if (fortranOrder === undefined) fail('header lacks fortran_order');
  if (shape === undefined) fail('header lacks shape');
  return { descr, fortranOrder, shape };
}

/** The header as NumPy writes it, with room for the first dimension to grow; not yet padded to a block. */
export function formatNpyHeader({ descr, fortranOrder, shape }: NpyHeader): string {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const room =
    shape.length === 0 ? '' : ' '.repeat(21 - String(shape[fortranOrder ? shape.length - 1 : 0]).length);
  return `{'descr': '${descr}', 'fortran_order': ${fortranOrder ? 'True' : 'False'}, 'shape': ${tuple}, }${room}`;
}

import { SeedspanError, show } from '../errors.ts';

const NEWLINE = 10;
const PERCENT = 37;
const PLUS = 43;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;

const isBlank = (byte: number) => byte === 32 || byte === 9 || byte === 13;
const isDigit = (byte: number) => byte >= ZERO && byte <= NINE;
/** e, E, and Fortran's d, D. */
const isExponentMark = (byte: number) => (byte | 32) === 101 || (byte | 32) === 100;

/** The powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, k) => Number(`1e${k}`));

/**
 * Reads lines of numbers from bytes, without making strings of them. Lines that are blank or begin with `%` are
 * passed over.
 */
export class LineScanner {
  readonly #where: string;
  readonly #bytes: Uint8Array;
  #at = 0;
  #line = 1;

  constructor(where: string, bytes: Uint8Array) {
    this.#where = where;
    this.#bytes = bytes;
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  fail(message: string, details: Record<string, unknown> = {}): never {
    throw new SeedspanError('BAD_FORMAT', `${this.#where}: line ${this.#line}: ${message}`, {
      line: this.#line,
      ...details,
    });
  }

  /** The rest of this line as text, at most `limit` characters; the scanner then stands at the line's end. */
  restOfLine(limit: number): string {
    const start = this.#at;
    this.#skipToLineEnd();
    return String.fromCharCode(...this.#bytes.subarray(start, Math.min(this.#at, start + limit))).trimEnd();
  }

  /** Goes to the first character of the next line that has something to read; false at the end of the file. */
  nextLine(): boolean {
    const bytes = this.#bytes;
    while (this.#at < bytes.length) {
      const byte = bytes[this.#at];
      if (byte === PERCENT) {
        this.#skipToLineEnd();
      } else if (byte === NEWLINE) {
        this.#line++;
        this.#at++;
      } else if (isBlank(byte)) {
        this.#at++;
      } else {
        return true;
      }
    }
    return false;
  }

  /** Refuses anything but blanks up to the end of this line. */
  endLine(): void {
    this.#skipBlanks();
    if (this.#at < this.#bytes.length && this.#bytes[this.#at] !== NEWLINE) {
      this.fail(`${this.#showToken(this.#at)} is one entry too many on the line`);
    }
  }

  /** Reads an integer from `least` to `most`, digits only. `name` is what it is called in messages. */
  integer(name: string, least: number, most: number): number {
    const start = this.#startToken(name);
    let value = 0;
    let at = start;
    // Past 2^53 the value is inexact, and refused all the same.
    for (; isDigit(this.#bytes[at]); at++) value = value * 10 + (this.#bytes[at] - ZERO);
    this.#at = at;
    if (!this.#isTokenEnd(at)) this.fail(`${name} is ${this.#showToken(start)}, must be an integer`);
    if (value < least || value > most) {
      this.fail(`${name} is ${this.#showToken(start)}, must be from ${least} to ${most}`, { name });
    }
    return value;
  }

  /** Reads a decimal number: the double nearest to it. Refuses what is not finite. */
  number(name: string): number {
    const bytes = this.#bytes;
    const start = this.#startToken(name);
    let at = start;
    const negative = bytes[at] === MINUS;
    if (negative || bytes[at] === PLUS) at++;

    let mantissa = 0;
    let significant = 0;
    let scale = 0;
    const digitsStart = at;
    let digits = 0;
    for (; isDigit(bytes[at]); at++, digits++) {
      mantissa = mantissa * 10 + (bytes[at] - ZERO);
      if (mantissa > 0) significant++;
    }
    if (bytes[at] === POINT) {
      for (at++; isDigit(bytes[at]); at++, digits++) {
        mantissa = mantissa * 10 + (bytes[at] - ZERO);
        if (mantissa > 0) significant++;
        scale--;
      }
    }
    let wellFormed = digits > 0;
    let exponentMark = 0;
    if (wellFormed && isExponentMark(bytes[at])) {
      exponentMark = at++;
      const minus = bytes[at] === MINUS;
      if (minus || bytes[at] === PLUS) at++;
      const exponentStart = at;
      let exponent = 0;
      for (; isDigit(bytes[at]); at++) exponent = Math.min(exponent * 10 + (bytes[at] - ZERO), 1e6);
      wellFormed = at > exponentStart;
      scale += minus ? -exponent : exponent;
    }
    this.#at = at;
    if (!wellFormed || !this.#isTokenEnd(at))
      this.fail(`${name} is ${this.#showToken(start)}, must be a number`);

    // Up to 15 digits and a power of ten that are both exact: one rounding, so the nearest double (Clinger, "How
    // to read floating point numbers accurately", PLDI 1990). Else the engine's own conversion.
    let value: number;
    if (significant <= 15 && scale >= -22 && scale <= 22) {
      value = scale < 0 ? mantissa / POWERS_OF_TEN[-scale] : mantissa * POWERS_OF_TEN[scale];
    } else {
      let text = '';
      for (let p = digitsStart; p < at; p++) text += p === exponentMark ? 'e' : String.fromCharCode(bytes[p]);
      value = Number(text);
    }
    if (value === Number.POSITIVE_INFINITY) {
      this.fail(`${name} is ${this.#showToken(start)}, too large for a double`);
    }
    return negative ? -value : value;
  }

  #skipBlanks(): void {
    while (isBlank(this.#bytes[this.#at])) this.#at++;
  }

  #skipToLineEnd(): void {
    const end = this.#bytes.indexOf(NEWLINE, this.#at);
    this.#at = end < 0 ? this.#bytes.length : end;
  }

  #isTokenEnd(at: number): boolean {
    return at >= this.#bytes.length || this.#bytes[at] === NEWLINE || isBlank(this.#bytes[at]);
  }

  #startToken(name: string): number {
    this.#skipBlanks();
    if (this.#at >= this.#bytes.length || this.#bytes[this.#at] === NEWLINE) this.fail(`${name} is missing`);
    return this.#at;
  }

  #showToken(start: number): string {
    let end = start;
    while (!this.#isTokenEnd(end) && end < start + 40) end++;
    return show(String.fromCharCode(...this.#bytes.subarray(start, end)));
  }
}

import { describe, expect, it } from 'vitest';
import type { Pointer } from '../../src/wasm/exports.ts';
import { random, randomVector } from '../twins/random.ts';
import * as twin from '../twins/vector.ts';
import { BUILDS, expectNear, expectSame, expectTwin, LENGTHS, useRoom } from './harness.ts';

const SHIFTS: [number, number, number][] = [
  [0, 0, 0],
  [1, 0, 1],
  [0, 1, 1],
  [1, 1, 0],
];

const { NaN: nan, MAX_VALUE: huge, MIN_VALUE: tiny } = Number;
const inf = Infinity;
/** Each pair of them meets somewhere; all finite products and sums are exact. */
const SPECIAL = [0, -0, 1, -1, inf, -inf, nan];

describe.each(BUILDS)('vector operations, %s', (build) => {
  const room = useRoom(build);

  /** Runs `test` for every length and alignment, with fresh x, y and z. */
  function sweep(
    test: (c: { n: number; x: Float64Array; y: Float64Array; px: Pointer; py: Pointer; pz: Pointer }) => void,
  ): void {
    const next = random(11);
    for (const n of LENGTHS) {
      for (const [i, j, l] of SHIFTS) {
        const x = randomVector(n, next);
        const y = randomVector(n, next);
        test({ n, x, y, px: room.vector(x, i), py: room.vector(y, j), pz: room.vector(n, l) });
        room.clear();
      }
    }
  }

  /** sum |x_i y_i| */
  const terms = (x: Float64Array, y: Float64Array): number =>
    x.reduce((sum, value, i) => sum + Math.abs(value * y[i]), 0);

  it('dot', () => {
    sweep(({ n, x, y, px, py }) => {
      const actual = room.k.dot(n, px, py);
      if (build === 'scalar') expect(actual).toBe(twin.dot(x, y));
      else expectNear([actual], [twin.dot(x, y)], terms(x, y));
      expectNear([room.k.dot(n, px, px)], [twin.dot(x, x)], terms(x, x));
    });
  });

  it('norm2', () => {
    sweep(({ n, x, px }) => {
      const wanted = twin.norm2(x);
      expectNear([room.k.norm2(n, px)], [wanted], wanted);
    });
  });

  it('norm2 where squares overflow or vanish', () => {
    for (const n of [1, 2, 3, 7, 8, 9, 16, 25, 33]) {
      for (const scale of [1e300, 1e155, 1e150, 1e-139, 1e-141, 1e-155, 1e-159, 1e-161, 1e-200, 1e-300]) {
        const x = randomVector(n, random(n)).map((value) => scale * value);
        const actual = room.k.norm2(n, room.vector(x));
        expect(actual / scale).toBeGreaterThan(0);
        expectNear([actual / scale], [twin.norm2(x) / scale], 10);
      }
    }
    expect(room.k.norm2(1, room.vector([tiny]))).toBe(tiny);
    expect(room.k.norm2(4, room.vector([tiny, tiny, tiny, tiny]))).toBe(2 * tiny);
    expect(room.k.norm2(1, room.vector([-huge]))).toBe(huge);
    expect(room.k.norm2(2, room.vector([huge, huge]))).toBe(inf);
    expect(room.k.norm2(9, room.vector([3e200, 0, 0, 0, 0, 0, 0, 0, 4e200])) / 5e200).toBeCloseTo(1, 14);
    expect(room.k.norm2(9, room.vector([3e200, 0, 0, 0, 0, 0, 0, 0, 4e-200]))).toBe(3e200);
    expect(room.k.norm2(0, room.vector(0))).toBe(0);
    expect(room.k.norm2(5, room.vector([0, -0, 0, 0, 0]))).toBe(0);
  });

  it('maxAbs', () => {
    sweep(({ n, x, px }) => {
      expect(room.k.maxAbs(n, px)).toBe(twin.maxabs(x));
    });
  });

  it('norm2 and maxAbs hand on NaN and infinity, wherever they stand', () => {
    for (const n of [1, 2, 3, 8, 9, 15, 16, 17, 24, 31]) {
      for (let at = 0; at < n; at++) {
        const x = randomVector(n, random(at));
        const p = room.vector(x);
        room.view(p, n)[at] = -inf;
        expect(room.k.maxAbs(n, p)).toBe(inf);
        expect(room.k.norm2(n, p)).toBe(inf);
        room.view(p, n)[at] = nan;
        expect(room.k.maxAbs(n, p)).toBeNaN();
        expect(room.k.norm2(n, p)).toBeNaN();
        room.view(p, n)[(at + 1) % n] = inf;
        if (n > 1) expect(room.k.maxAbs(n, p)).toBeNaN();
        if (n > 1) expect(room.k.norm2(n, p)).toBeNaN();
        room.clear();
      }
    }
  });

  it('axpy', () => {
    sweep(({ n, x, y, px, py }) => {
      const a = -1.7;
      const wanted = y.slice();
      twin.axpy(a, x, wanted);
      room.k.axpy(n, a, px, py);
      expectTwin(build, room.read(py, n), wanted, 3, `axpy, n = ${n}`);
      expectSame(room.read(px, n), x);
    });
  });

  it('xpay', () => {
    sweep(({ n, x, y, px, py }) => {
      const a = 0.3;
      const wanted = y.slice();
      twin.xpay(x, a, wanted);
      room.k.xpay(n, px, a, py);
      expectTwin(build, room.read(py, n), wanted, 3, `xpay, n = ${n}`);
      expectSame(room.read(px, n), x);
    });
  });

  it('scale', () => {
    sweep(({ n, x, px }) => {
      const wanted = x.slice();
      twin.scale(-0.37, wanted);
      room.k.scale(n, -0.37, px);
      expectSame(room.read(px, n), wanted, `scale, n = ${n}`);
    });
  });

  it('multiply and subtract, also in place', () => {
    sweep(({ n, x, y, px, py, pz }) => {
      const product = x.map((value, i) => value * y[i]);
      const difference = twin.difference(x, y);
      room.k.multiply(n, px, py, pz);
      expectSame(room.read(pz, n), product, `multiply, n = ${n}`);
      room.k.subtract(n, px, py, pz);
      expectSame(room.read(pz, n), difference, `subtract, n = ${n}`);
      expectSame(room.read(px, n), x);
      expectSame(room.read(py, n), y);
      room.k.subtract(n, px, py, py);
      expectSame(room.read(py, n), difference);
      room.k.multiply(n, px, py, px);
      expectSame(
        room.read(px, n),
        x.map((value, i) => value * difference[i]),
      );
    });
  });

  it('copy and zero', () => {
    sweep(({ n, x, px, pz }) => {
      room.k.copy(n, px, pz);
      expectSame(room.read(pz, n), x);
      room.k.zero(n, pz);
      expectSame(room.read(pz, n), new Float64Array(n));
      expectSame(room.read(px, n), x);
    });
  });

  it('distanceSquared', () => {
    sweep(({ n, x, y, px, py }) => {
      const wanted = twin.dot(twin.difference(x, y), twin.difference(x, y));
      expectNear([room.k.distanceSquared(n, px, py)], [wanted], wanted);
      expect(room.k.distanceSquared(n, px, px)).toBe(0);
    });
  });

  it('dotAndSquare', () => {
    const out = 2;
    sweep(({ n, x, y, px, py }) => {
      const pair = room.vector(out);
      room.k.dotAndSquare(n, px, py, pair);
      expectNear(room.read(pair, out), [twin.dot(x, y), twin.dot(x, x)], [terms(x, y), terms(x, x)]);
    });
  });

  it('subtractScaledAndSquare', () => {
    sweep(({ n, x, y, px, py }) => {
      const a = 0.61;
      const wanted = y.map((value, i) => value - a * x[i]);
      const square = room.k.subtractScaledAndSquare(n, a, px, py);
      expectTwin(build, room.read(py, n), wanted, 2, `subtractScaledAndSquare, n = ${n}`);
      expectNear([square], [twin.dot(wanted, wanted)], 3 * n);
      expectSame(room.read(px, n), x);
    });
  });

  it('special values go through as in plain arithmetic', () => {
    // Repeated past three passes, with a tail.
    const x = Float64Array.from({ length: 51 }, (_, i) => SPECIAL[i % 7]);
    const y = Float64Array.from({ length: 51 }, (_, i) => SPECIAL[Math.floor(i / 7) % 7]);
    const n = x.length;
    const after = (run: (px: Pointer, py: Pointer, pz: Pointer) => void): Float64Array[] => {
      const [px, py, pz] = [room.vector(x), room.vector(y), room.vector(n)];
      run(px, py, pz);
      return [px, py, pz].map((p) => room.read(p, n));
    };
    for (const a of SPECIAL) {
      const axpy = after((px, py) => room.k.axpy(n, a, px, py))[1];
      expectSame(
        axpy,
        y.map((value, i) => value + a * x[i]),
        `axpy, a = ${a}`,
      );
      const xpay = after((px, py) => room.k.xpay(n, px, a, py))[1];
      expectSame(
        xpay,
        x.map((value, i) => value + a * y[i]),
        `xpay, a = ${a}`,
      );
      const scale = after((px) => room.k.scale(n, a, px))[0];
      expectSame(
        scale,
        x.map((value) => a * value),
        `scale, a = ${a}`,
      );
      const update = after((px, py) => void room.k.subtractScaledAndSquare(n, a, px, py))[1];
      expectSame(
        update,
        y.map((value, i) => value - a * x[i]),
        `subtractScaledAndSquare, a = ${a}`,
      );
    }
    const multiply = after((px, py, pz) => room.k.multiply(n, px, py, pz))[2];
    expectSame(
      multiply,
      x.map((value, i) => value * y[i]),
      'multiply',
    );
    const subtract = after((px, py, pz) => room.k.subtract(n, px, py, pz))[2];
    expectSame(subtract, twin.difference(x, y), 'subtract');
    expectSame(after((px, _, pz) => room.k.copy(n, px, pz))[2], x, 'copy');
    for (const sum of [room.k.dot, room.k.distanceSquared]) {
      expect(sum(n, room.vector(x), room.vector(y))).toBeNaN();
      expect(
        sum(9, room.vector([1, 1, 1, 1, 1, 1, 1, 1, inf]), room.vector(new Float64Array(9).fill(1))),
      ).toBe(inf);
    }
  });
});

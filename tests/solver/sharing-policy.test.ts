import { describe, expect, it } from 'vitest';
import { OperatorPolicy, StartPolicy, type WayCosts } from '../../src/solver/sharing-policy.ts';

const COSTS: WayCosts = { product: 1, iteration: 10, setup: 100 };
const TARGET = 1e-8;

/** A system solved at two iterations a digit, from what the last of `left` has left. */
function solvedFrom(left: readonly number[]) {
  const digits = Math.log10((left.at(-1) ?? 1) / TARGET);
  return { iterations: Math.round(2 * digits), digits };
}

/** The columns that the policy asks for, system by system, where `leftBy` says what each number of them leaves. */
function columnsOver(systems: number, leftBy: (columns: number) => number, capacity = 8): number[] {
  const policy = new StartPolicy(capacity);
  return Array.from({ length: systems }, () => {
    const left = Array.from({ length: policy.columns }, (_, j) => leftBy(j + 1));
    policy.observe(solvedFrom(left), left, TARGET, COSTS);
    return policy.columns;
  });
}

describe('how many solutions a start is made of', () => {
  it('grows by one a system while each takes a digit away, up to the capacity', () => {
    expect(columnsOver(10, (j) => 10 ** -j)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 8]);
    expect(columnsOver(6, (j) => 10 ** -j, 3)).toEqual([1, 2, 3, 3, 3, 3]);
  });

  it('stays one beyond the number that pays', () => {
    expect(columnsOver(8, (j) => (j < 3 ? 10 ** (-2 * j) : 0.9e-4))).toEqual([1, 2, 3, 3, 3, 3, 3, 3]);
  });

  it('takes a second column before it gives up: one alone may show nothing', () => {
    expect(columnsOver(6, (j) => (j === 1 ? 1 : 1e-3))).toEqual([1, 2, 3, 3, 3, 3]);
  });

  it('pauses where nothing helps, twice as long each time, up to 64 systems', () => {
    const columns = columnsOver(400, () => 1);
    const pauses: number[] = [];
    let length = 0;
    for (const count of columns) {
      if (count === 0) length++;
      else if (length > 0) {
        pauses.push(length);
        length = 0;
      }
    }
    expect(Math.max(...columns)).toBe(2);
    expect(pauses.slice(0, 4)).toEqual([8, 16, 32, 64]);
    expect(pauses.slice(4).every((pause) => pause === 64)).toBe(true);
  });

  it('forgets earlier pauses once columns have paid', () => {
    const policy = new StartPolicy(8);
    const observe = (left: number[]) => policy.observe(solvedFrom(left), left, TARGET, COSTS);
    const pauseLength = () => {
      observe([]);
      observe([1]);
      observe([1, 1]);
      let systems = 0;
      for (; policy.columns === 0; systems++) observe([]);
      return systems;
    };
    expect(pauseLength()).toBe(8);
    expect(pauseLength()).toBe(16);
    observe([1e-3]);
    expect(pauseLength()).toBe(8);
  });

  it('weighs a column by its product and sums against iterations', () => {
    const dear = { ...COSTS, product: 1000 };
    const policy = new StartPolicy(8);
    policy.observe({ iterations: 16, digits: 8 }, [], TARGET, dear);
    policy.observe({ iterations: 2, digits: 1 }, [1e-7], TARGET, dear);
    policy.observe({ iterations: 2, digits: 1 }, [1e-7, 1e-7], TARGET, dear);
    expect(policy.columns).toBe(0);
  });

  it('survives a target of zero, and one that is met from the start', () => {
    for (const target of [0, 1, 10]) {
      const policy = new StartPolicy(8);
      for (let k = 0; k < 20; k++) {
        const left = Array.from({ length: policy.columns }, () => 1e-15);
        policy.observe({ iterations: 0, digits: 0 }, left, target, COSTS);
        expect(policy.columns).toBeGreaterThanOrEqual(0);
        expect(policy.columns).toBeLessThanOrEqual(8);
      }
    }
  });
});

describe('how long a preconditioner is kept', () => {
  /** Whether each system had a preconditioner of its own; iterations by the age of the one that it had. */
  function fresh(systems: number, iterations: (age: number) => number): boolean[] {
    const policy = new OperatorPolicy(COSTS);
    let age = 0;
    return Array.from({ length: systems }, () => {
      const { renew } = policy;
      age = renew ? 0 : age + 1;
      policy.observe({ iterations: iterations(age), digits: 8 });
      return renew;
    });
  }

  it('is for ever where it costs no iterations', () => {
    expect(fresh(50, () => 8).filter(Boolean)).toHaveLength(1);
  });

  it('ends when the last solve cost more than all did on average', () => {
    // An excess of 10 k at age k: the average of the k + 1 systems is (100 + 5 k (k + 1)) / (k + 1), which 10 k is
    // beyond for the first time at k = 5, where 50 > 250 / 6.
    const renewed = fresh(30, (age) => 8 + age);
    expect(renewed).toEqual(Array.from({ length: 30 }, (_, k) => k % 6 === 0));
  });

  it('pauses where it does not pay even once', () => {
    const renewed = fresh(12, (age) => (age === 0 ? 8 : 40));
    expect(renewed).toEqual([true, false, ...Array(9).fill(true), false]);
  });

  it('pauses after a failure, longer each time', () => {
    const policy = new OperatorPolicy(COSTS);
    const own = { iterations: 8, digits: 8 };
    const pause = () => {
      policy.failed();
      let systems = 0;
      for (; policy.renew; systems++) policy.observe(own);
      return systems;
    };
    expect([pause(), pause(), pause(), pause(), pause()]).toEqual([9, 17, 33, 65, 65]);
  });

  it('ends when the matrices have changed, and begins anew without a pause', () => {
    const policy = new OperatorPolicy(COSTS);
    const own = { iterations: 8, digits: 8 };
    policy.observe(own);
    expect(policy.renew).toBe(false);
    policy.outdate();
    expect([policy.renew, policy.pausing]).toEqual([true, false]);
    policy.observe(own);
    expect(policy.renew).toBe(false);
    policy.failed();
    expect([policy.renew, policy.pausing]).toEqual([true, true]);
  });

  it('gives a solve up beyond thrice its iterations and thrice the making', () => {
    const policy = new OperatorPolicy(COSTS);
    policy.observe({ iterations: 16, digits: 8 });
    expect(policy.limit(4)).toBe(3 * 8 + 3 * 10 + 20);
  });

  it('keeps its rate where a solve had nothing to do', () => {
    const policy = new OperatorPolicy(COSTS);
    policy.observe({ iterations: 16, digits: 8 });
    const before = policy.limit(4);
    policy.failed();
    policy.observe({ iterations: 0, digits: 0 });
    expect(policy.limit(4)).toBe(before);
  });
});

import { expect } from 'vitest';
import { SeedspanError } from '../../src/errors.ts';

/** Runs `act` and expects a SeedspanError with this code and message. */
export function expectError(act: () => unknown, code: string, message: RegExp): void {
  let caught: unknown;
  try {
    act();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(SeedspanError);
  expect((caught as SeedspanError).code).toBe(code);
  expect((caught as SeedspanError).message).toMatch(message);
}

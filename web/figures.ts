/** A number for people: four digits, or a power of ten. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5))
    return value.toExponential(2).replace('-', '−').replace('e+', 'e');
  return value.toLocaleString('en', { maximumSignificantDigits: 4 }).replace('-', '−');
}

/** Milliseconds. */
export function duration(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds.toLocaleString('en', { maximumSignificantDigits: 3 })} ms`;
}

export const whole = (value: number): string => value.toLocaleString('en');

/**
 * Whether an object carries a mark, a symbol of the global registry, on itself or its class. A program may hold two
 * copies of the package, as ES modules and as CommonJS, or by two bundles: what one makes, the other takes, where
 * `instanceof` compares marks instead of classes.
 */
export function hasMark(value: unknown, mark: symbol): boolean {
  return typeof value === 'object' && value !== null && mark in value;
}

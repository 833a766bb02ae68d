/** What the bench uses of numeric.js 1.2.6: sparse matrices by columns, as [pointers, rows, values]. */
declare module 'numeric' {
  type Ccs = [number[], number[], number[]];
  const numeric: {
    version: string;
    ccsLUP(A: Ccs): object;
    ccsLUPSolve(LUP: object, b: number[]): number[];
  };
  export default numeric;
}

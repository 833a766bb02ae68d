/** The README's account of a kept run: a table of where the suite ran, and a line for each thing else that was tried. */
export function table(kept: unknown): string;

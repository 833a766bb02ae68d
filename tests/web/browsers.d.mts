export function findLibrary(name: string): Promise<unknown>;
export function findProgram(...names: string[]): string | undefined;

import { SeedspanError } from './errors.ts';

/**
 * Loads a library that is an optional peer.
 *
 * @param name - Package name, as npm knows it.
 * @param purpose - What it is needed for: `to read pictures`.
 * @throws SeedspanError `UNSUPPORTED` where it is missing or does not load, with the command that installs it.
 */
export async function loadPeer<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new SeedspanError(
      'UNSUPPORTED',
      `the package ${name}, needed ${purpose}, is missing or does not load here; install it with: npm install ${name}`,
      { package: name },
      { cause },
    );
  }
}

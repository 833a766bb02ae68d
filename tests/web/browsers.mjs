// Browsers and the libraries that drive them, where they are: they are no dependencies of the package.

import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where `tests/runtimes` installs them; else wherever NODE_PATH says. */
const require = createRequire(new URL('../runtimes/package.json', import.meta.url));

/** The module of that name, or undefined. */
export async function findLibrary(name) {
  let path;
  try {
    path = require.resolve(name);
  } catch {
    return undefined;
  }
  const library = await import(pathToFileURL(path).href);
  return library.default ?? library;
}

/** The first of the programs that is on the PATH, or undefined. */
export function findProgram(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not there.
      }
    }
  }
  return undefined;
}

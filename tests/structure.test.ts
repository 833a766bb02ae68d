import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Each part may import from the parts before it, and from itself. */
const ORDER = {
  src: [
    'version',
    'marks',
    'errors',
    'elementary',
    'peers',
    'colormap',
    'wasm',
    'threads',
    'memory',
    'sparse',
    'formats',
    'solver',
    'index',
    'external',
    'diffusion',
    'worker',
    'training',
    'onnx',
    'node',
    'dataset',
    'cli',
  ],
  assembly: [
    'memory',
    'codec',
    'host',
    'vector',
    'operator',
    'direct',
    'preconditioner',
    'subspace',
    'method',
    'batch',
    'fokkerplanck',
    'density',
    'sampler',
    'index',
  ],
};
/** The parts that need Node, and may use packages. */
const FOR_NODE = ['node', 'dataset', 'cli'];
/** The parts that take what was built. */
const BUILT = ['wasm', 'threads', 'dataset'];
/** What the parts for any runtime may use. */
const PACKAGES: Record<string, string[]> = {
  training: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'],
  onnx: ['onnxruntime-web'],
};

type Side = keyof typeof ORDER;

interface SourceFile {
  /** From the root, with slashes. */
  path: string;
  side: Side;
  /** Folder or file below `src` or `assembly`. */
  part: string;
  text: string;
  imports: string[];
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function read(path: string): SourceFile {
  const [side, below] = path.split('/');
  const text = readFileSync(join(root, path), 'utf8');
  const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
  return { path, side: side as Side, part: below.replace(/\.ts$/, ''), text, imports };
}

const files = (['src', 'assembly'] as const).flatMap((side) =>
  filesBelow(side)
    .filter((path) => path.endsWith('.ts'))
    .map(read),
);

/** The file that a relative import names, from the root. */
function resolve(from: string, specifier: string): string {
  const path = relative(root, join(root, dirname(from), specifier)).replaceAll('\\', '/');
  return /\.\w+$/.test(path) ? path : `${path}.ts`;
}

const isRelative = (specifier: string) => specifier.startsWith('.');

describe('imports', () => {
  it('are found, and name files that are there', () => {
    expect(files.length).toBeGreaterThan(50);
    const missing = files.flatMap(({ path, imports }) =>
      imports
        .filter(isRelative)
        .map((specifier) => resolve(path, specifier))
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${path} -> ${target}`),
    );
    expect(missing).toEqual([]);
    expect(files.flatMap(({ imports }) => imports.filter(isRelative)).length).toBeGreaterThan(150);
  });

  it.each(Object.keys(ORDER) as Side[])('%s has no part that the order leaves out', (side) => {
    const parts = new Set(files.filter((file) => file.side === side).map(({ part }) => part));
    expect([...parts].filter((part) => !ORDER[side].includes(part))).toEqual([]);
  });

  it('run one way, from the general to the applied', () => {
    const backward = files.flatMap(({ path, side, part, imports }) =>
      imports.filter(isRelative).flatMap((specifier) => {
        const [targetSide, below] = resolve(path, specifier).split('/');
        // The kernel's binaries are an output of `assembly`, the workers' script of `src/worker`; the sources do not meet.
        if (side === 'src' && BUILT.includes(part) && targetSide === 'build') return [];
        const rank = ORDER[side].indexOf(below?.replace(/\.ts$/, ''));
        const fits = targetSide === side && rank >= 0 && rank <= ORDER[side].indexOf(part);
        return fits ? [] : [`${path} -> ${specifier}`];
      }),
    );
    expect(backward).toEqual([]);
  });

  it('form no cycle, of files, types included', () => {
    const targets = new Map(
      files.map(({ path, imports }) => [
        path,
        imports.filter(isRelative).map((specifier) => resolve(path, specifier)),
      ]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: string[]): void => {
      const at = trail.indexOf(path);
      if (at >= 0) {
        cycles.push([...trail.slice(at), path].join(' -> '));
        return;
      }
      if (done.has(path)) return;
      for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
      done.add(path);
    };
    for (const path of targets.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });

  it('of Node are in the parts for Node alone, and elsewhere of few packages', () => {
    const foreign = files
      .filter(({ part }) => !FOR_NODE.includes(part))
      .flatMap(({ path, part, imports }) =>
        imports
          .filter((specifier) => !isRelative(specifier) && !PACKAGES[part]?.includes(specifier))
          .map((specifier) => `${path} -> ${specifier}`),
      );
    expect(foreign).toEqual([]);
  });

  it('of packages are declared', () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const declared = { ...dependencies, ...peerDependencies };
    const undeclared = files.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => !isRelative(specifier) && !specifier.startsWith('node:'))
        .map((specifier) => specifier.match(/^(@[^/]+\/)?[^/]+/)![0])
        .filter((name) => !(name in declared))
        .map((name) => `${path} -> ${name}`),
    );
    expect(undeclared).toEqual([]);
  });
});

describe('files', () => {
  it('hold no absolute path of a machine', () => {
    const absolute = /(?<![\w.~:/-])\/(?:home|root|work|Users|tmp|mnt|opt)\/\w|\b[A-Z]:\\\w/;
    const mentions = ['src', 'assembly', 'tests', 'bench', 'tools', 'examples', 'web']
      .filter((folder) => existsSync(join(root, folder)))
      .flatMap(filesBelow)
      .filter((path) => /\.(ts|mjs|js|html|py|md|json|toml)$/.test(path))
      .flatMap((path) =>
        readFileSync(join(root, path), 'utf8')
          .split('\n')
          .flatMap((line, k) => (absolute.test(line) ? [`${path}:${k + 1}: ${line.trim()}`] : [])),
      );
    expect(mentions).toEqual([]);
  });
});

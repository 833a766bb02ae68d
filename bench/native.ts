import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Side } from './harness.ts';

/** Programs of others, or in other languages, run beside this one and take turns with it: one line asks, one answers. */

const FOLDER = 'build/bench';

/** One thread each, as here. */
const ENVIRONMENT = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };

export type Answer = Record<string, number | string>;

/** A program that runs until `close`. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting: { take: (line: string) => void; fail: (error: Error) => void }[] = [];
  #errors = '';

  constructor(command: string, args: readonly string[] = []) {
    this.#child = spawn(command, args, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'pipe'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#waiting.shift()?.take(line));
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-2000);
    });
    const end = (why: string) => {
      for (const { fail } of this.#waiting.splice(0)) fail(new Error(`${command}: ${why}\n${this.#errors}`));
    };
    this.#child.stdin!.on('error', () => end('does not read'));
    this.#child.on('error', (error) => end(error.message));
    this.#child.on('exit', (code) => end(`ended with ${code}`));
  }

  async ask(request: string): Promise<Answer> {
    const line = await new Promise<string>((take, fail) => {
      this.#waiting.push({ take, fail });
      this.#child.stdin!.write(`${request}\n`);
    });
    const answer = JSON.parse(line) as Answer;
    if (answer.error !== undefined) throw new Error(`${request}: ${answer.error}`);
    return answer;
  }

  /** A side that asks for a number of calls, the request's last word. */
  side(request: string): Side {
    return async (calls) => {
      const { cpu, wall } = await this.ask(`${request} ${calls}`);
      return { cpu: Number(cpu), wall: Number(wall) };
    };
  }

  close(): void {
    this.#child.stdin!.end();
  }
}

/** The first line that a command prints, or undefined where it is not there. */
export function firstLine(command: string, args: readonly string[]): string | undefined {
  try {
    const text = execFileSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'], env: ENVIRONMENT });
    return text.toString().trim().split('\n')[0];
  } catch {
    return undefined;
  }
}

/** What was found on the machine, and what was not. */
export interface Found {
  peers: Map<string, Peer>;
  versions: Record<string, string>;
  missing: string[];
}

interface Program {
  name: string;
  source: string;
  compiler: 'gcc' | 'g++' | 'mpicc';
  flags: readonly string[];
  /** A pkg-config package, where one is needed. */
  library?: string;
}

const PROGRAMS: readonly Program[] = [
  { name: 'C, 128 bit', source: 'kernels.c', compiler: 'gcc', flags: ['-O3'] },
  { name: 'C, native', source: 'kernels.c', compiler: 'gcc', flags: ['-O3', '-march=native'] },
  {
    name: 'Eigen',
    source: 'eigen.cpp',
    compiler: 'g++',
    flags: ['-O3', '-march=native', '-DNDEBUG', '-std=c++17'],
    library: 'eigen3',
  },
  { name: 'PETSc', source: 'petsc.c', compiler: 'mpicc', flags: ['-O3', '-march=native'], library: 'PETSc' },
];

/** Builds and starts the programs of `bench/native` that the machine can build, by name. */
export function startNative(names: readonly string[]): Found {
  const found: Found = { peers: new Map(), versions: {}, missing: [] };
  mkdirSync(FOLDER, { recursive: true });
  for (const program of PROGRAMS.filter(({ name }) => names.includes(name))) {
    const { name, source, compiler, flags, library } = program;
    const version = firstLine(compiler, ['--version']);
    const release = library === undefined ? '' : firstLine('pkg-config', ['--modversion', library]);
    if (version === undefined || release === undefined) {
      found.missing.push(
        `${name} (needs ${[compiler, ...(library ? ['pkg-config', library] : [])].join(', ')})`,
      );
      continue;
    }
    const extra =
      library === undefined ? '' : (firstLine('pkg-config', ['--cflags', '--libs', library]) ?? '');
    const path = `${FOLDER}/${name.toLowerCase().replace(/\W+/g, '-')}`;
    try {
      if (!upToDate(path, source)) {
        const libraries = extra.split(/\s+/).filter(Boolean);
        execFileSync(compiler, [...flags, `bench/native/${source}`, '-o', path, ...libraries, '-lm'], {
          stdio: ['ignore', 'ignore', 'pipe'],
        });
      }
    } catch (error) {
      found.missing.push(`${name} (did not compile: ${compilerError(error)})`);
      continue;
    }
    found.peers.set(name, new Peer(`./${path}`));
    found.versions[name] = [library && `${library} ${release}`, version, flags.join(' ')]
      .filter(Boolean)
      .join(', ');
  }
  return found;
}

/** Whether a program is newer than what it is made from. */
function upToDate(path: string, source: string): boolean {
  const time = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return time(path) > Math.max(time(`bench/native/${source}`), time('bench/native/protocol.h'));
}

function compilerError(error: unknown): string {
  const lines = String((error as { stderr?: Buffer }).stderr).split('\n');
  return (lines.find((line) => line.includes('error')) ?? lines[0]).trim();
}

/** Starts a script of `bench/native` where Python has NumPy and SciPy. */
export function startScipy(script: string): Found {
  const found: Found = { peers: new Map(), versions: {}, missing: [] };
  const version = firstLine('python3', [
    '-c',
    'import sys, numpy, scipy; print(f"Python {sys.version.split()[0]}, NumPy {numpy.__version__}, SciPy {scipy.__version__}")',
  ]);
  if (version === undefined) {
    found.missing.push('SciPy (needs python3 with NumPy and SciPy)');
    return found;
  }
  found.peers.set('SciPy', new Peer('python3', [`bench/native/${script}`]));
  found.versions.SciPy = version;
  return found;
}

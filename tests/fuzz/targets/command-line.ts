import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import fc from 'fast-check';
import type { Context } from '../../../src/cli/context.ts';
import { infoCommand } from '../../../src/cli/info.ts';
import { precomputeCommand } from '../../../src/cli/precompute.ts';
import { run } from '../../../src/cli/run.ts';
import { sampleCommand } from '../../../src/cli/sample.ts';
import { solveCommand } from '../../../src/cli/solve.ts';
import { trainCommand } from '../../../src/cli/train.ts';
import { SeedspanError } from '../../../src/errors.ts';
import { writeNpy } from '../../../src/formats/index.ts';
import { ensure, type FuzzTarget, utf8 } from '../target.ts';
import { smallPictures, temporaryFolder } from './pictures.ts';

/** Keeps what is written to it. */
function sink(): NodeJS.WriteStream & { text: string } {
  const stream = {
    text: '',
    isTTY: false,
    write(part: string | Uint8Array) {
      stream.text += String(part);
      return true;
    },
  };
  return stream as unknown as NodeJS.WriteStream & { text: string };
}

const context = (): Context & { stdout: { text: string }; stderr: { text: string } } => ({
  stdout: sink(),
  stderr: sink(),
  signal: new AbortController().signal,
  exitCode: 0,
});

/** Each command by its words, with its flags. Those that serve until they are stopped are left out. */
const COMMANDS = new Map<string, string[]>();
function collect(command: Command, words: string[]): void {
  const name = [...words, command.name()];
  const flags = command.options
    .map(({ long }) => long!)
    .filter((flag) => !['--queue', '--minutes'].includes(flag));
  if (command.commands.length === 0) COMMANDS.set(name.join(' '), flags);
  for (const below of command.commands) collect(below, name);
}
for (const make of [precomputeCommand, sampleCommand, solveCommand, trainCommand, infoCommand])
  collect(make(context()), []);

/** `@name` is a file of the folder below. */
// biome-ignore format: a table
const VALUES = ['', ' ', '0', '1', '2', '3', '4', '-1', '1.5', '2.5.1', '1e400', '-1e400', 'NaN', 'Infinity', '0x2', '１', '9007199254740993', '99999999999999999999', 'none', 'auto', 'x', '__proto__', 'constructor', 've:5', 've:-1', 've:1e400', 'vp', 'constant:', 'na2024', 'lau2025', 'consistent', '2x2', '3x', 'x3', '2x2x2', '1,2', ',', '1,,2', '-1,1', 'gmres', 'lu', 'jacobi', 'projection', '--', '-', '--help', '-V', '@missing', '@.', '@empty', '@picture.png', '@cut.png', '@bad.npy', '@images.npy', '@A.mtx', '@b.mtx', '@bad.mtx', '@out.zarr', '@out.npy', '@out/x', '@out.png', '@picture.png/x', '\0', 'a\0b', '\ud800', 'x'.repeat(5000), '../../x', '~', '$HOME', '%s', '*', '[', '{a,b}', '@*.png'];
let folder = '';

interface CommandCase {
  command: string;
  words: [flag: string, value: string | null][];
  inputs: string[];
}

const made: fc.Arbitrary<Uint8Array> = fc
  .constantFrom(...COMMANDS.keys(), 'precompute', 'solve', 'nothing', '')
  .chain((command) => {
    const flags = [...(COMMANDS.get(command) ?? []), '--unknown', '--help', '-x'];
    const word = fc.tuple(fc.constantFrom(...flags), fc.option(fc.constantFrom(...VALUES), { freq: 8 }));
    return fc.record({
      command: fc.constant(command),
      words: fc.array(word, { maxLength: 4 }),
      inputs: fc.array(fc.constantFrom(...VALUES), { maxLength: 2 }),
    });
  })
  .map((one) => utf8(JSON.stringify(one)));

/** Words that a user may type: an exit code that is known, and a message where it is not 0. */
export const commandLine: FuzzTarget = {
  name: 'command-line',
  share: 0.2,
  seeds: () => [],
  generate: made,
  damage: false,
  metered: false,
  seconds: 10,
  async prepare() {
    folder = temporaryFolder();
    const [png] = await smallPictures();
    const npy = writeNpy({ data: Float64Array.from({ length: 8 }, (_, k) => k / 8), shape: [2, 1, 2, 2] });
    const put = (name: string, content: Uint8Array | string) => writeFileSync(join(folder, name), content);
    put('empty', '');
    put('picture.png', png);
    put('cut.png', png.subarray(0, 60));
    put('images.npy', npy);
    put('bad.npy', npy.subarray(0, 70));
    put('A.mtx', '%%MatrixMarket matrix coordinate real general\n2 2 3\n1 1 2\n2 2 3\n1 2 1\n');
    put('b.mtx', '%%MatrixMarket matrix array real general\n2 1\n1\n2\n');
    put('bad.mtx', '%%MatrixMarket matrix coordinate real general\n2 2 9\n');
  },
  cleanUp: () => rmSync(folder, { recursive: true, force: true }),
  async run(input) {
    const { command, words, inputs } = JSON.parse(new TextDecoder().decode(input)) as CommandCase;
    const place = (text: string) => (text.startsWith('@') ? join(folder, text.slice(1)) : text);
    const argv = [
      ...command.split(' '),
      ...words.flatMap(([flag, value]) => (value === null ? [flag] : [flag, place(value)])),
      ...inputs.map(place),
    ];
    const world = context();
    mkdirSync(join(folder, 'work'), { recursive: true });
    const from = process.env.HOME;
    const here = new Set(argv.filter((word) => existsSync(word)));
    const code = await run(argv, world);
    // Outputs in the working folder, such as that of `--out --rtol`.
    for (const word of argv) if (!here.has(word) && existsSync(word)) rmSync(word, { recursive: true });
    ensure(process.env.HOME === from, 'the environment was changed');
    for (const name of ['out.zarr', 'out.npy', 'out', 'out.png'])
      rmSync(join(folder, name), { recursive: true, force: true });
    const { stderr, stdout } = world;
    ensure([0, 1, 2, 130].includes(code), `exit code ${code}`);
    ensure(!stderr.text.includes('internal error'), stderr.text.slice(0, 1000));
    // A solve that does not converge says so in its result.
    const said = stderr.text + stdout.text;
    ensure(code === 0 || said.length > 10, `exit code ${code} without a message`);
    if (code !== 0)
      throw new SeedspanError(code === 2 ? 'USAGE' : 'IO', `the command says: ${said.slice(0, 200)}`);
  },
};

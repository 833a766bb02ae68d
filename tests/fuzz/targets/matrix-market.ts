import fc from 'fast-check';
import { readMatrixMarket, writeMatrixMarket } from '../../../src/formats/index.ts';
import { CsrMatrix } from '../../../src/index.ts';
import { EXTREME_NUMBERS } from '../damage.ts';
import { ensure, type FuzzTarget, utf8 } from '../target.ts';
import { fixtures } from './npy.ts';

/** Files may declare empty matrices of any size up to this one. */
const MOST = 2 ** 16;

const integer = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 4 }).map(String), weight: 12 },
  { arbitrary: fc.constantFrom(...EXTREME_NUMBERS), weight: 1 },
);
const number = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map(String),
  fc.double().map(String),
  fc.constantFrom('1.5D+02', '-2d-300', '1E5', ...EXTREME_NUMBERS),
);

const mm = (rest: string, banner = 'coordinate real general') =>
  utf8(`%%MatrixMarket matrix ${banner}\n${rest}`);

const nasty = () => ({
  'nothing at all': new Uint8Array(0),
  'the banner alone': utf8('%%MatrixMarket matrix coordinate real general'),
  'a banner of 100,000 characters': utf8(
    `%%MatrixMarket matrix coordinate real ${'x'.repeat(100_000)}\n1 1 0\n`,
  ),
  'a banner of 50,000 words': utf8(`%%MatrixMarket${' matrix'.repeat(50_000)}\n1 1 0\n`),
  '1e18 rows, in digits': mm('1000000000000000000 1 0\n'),
  '1e18 rows': mm('1e18 1 0\n'),
  '1e18 entries': mm('1 1 1000000000000000000\n1 1 1\n'),
  '2^31 entries': mm('1 1 2147483648\n1 1 1\n'),
  '2^30 entries, in an array': mm('32768 32768\n1\n', 'array real general'),
  'an array of 2^32 x 2^32': mm('4294967296 4294967296\n1\n', 'array real general'),
  'sizes of 400 digits': mm(`${'9'.repeat(400)} 1 0\n`),
  'negative sizes': mm('-1 -1 1\n1 1 1\n'),
  'a negative number of entries': mm('1 1 -1\n'),
  'row 0': mm('2 2 1\n0 1 1\n'),
  'a row too far': mm('2 2 1\n3 1 1\n'),
  'an entry of an empty matrix': mm('0 0 1\n1 1 1\n'),
  'symmetric with an upper entry': mm('2 2 1\n1 2 1\n', 'coordinate real symmetric'),
  'symmetric and not square': mm('2 3 1\n2 1 1\n', 'coordinate real symmetric'),
  'skew-symmetric with a diagonal': mm('2 2 1\n2 2 1\n', 'coordinate real skew-symmetric'),
  'duplicates whose sum is infinite': mm('1 1 2\n1 1 1.7e308\n1 1 1.7e308\n'),
  NaN: mm('1 1 1\n1 1 NaN\n'),
  '1e309': mm('1 1 1\n1 1 1e309\n'),
  'an exponent of 100,000 digits': mm(`1 1 1\n1 1 1e${'9'.repeat(100_000)}\n`),
  'a value of 100,000 digits and a letter': mm(`1 1 1\n1 1 ${'1'.repeat(100_000)}x\n`),
  hexadecimal: mm('1 1 1\n1 1 0x1p3\n'),
  'an integer past 2^53': mm('1 1 1\n1 1 9007199254740993\n', 'coordinate integer general'),
  complex: mm('1 1 1\n1 1 1 0\n', 'coordinate complex general'),
  'an entry too many': mm('2 2 1\n1 1 1\n2 2 1\n'),
  'an entry too few': mm('2 2 2\n1 1 1\n'),
  'a pattern with values': mm('1 1 1\n1 1 1\n', 'coordinate pattern general'),
  'no digits of ours': mm('١ ١ ١\n١ ١ ١\n'),
  'a zero byte': mm('1 1 1\n1 1 1\0\n'),
  'UTF-16': new Uint8Array(Buffer.from('%%MatrixMarket matrix coordinate real general\n1 1 0\n', 'utf16le')),
});

const made = fc
  .record({
    kind: fc.constantFrom('coordinate', 'coordinate', 'array'),
    field: fc.constantFrom('real', 'integer', 'pattern', 'complex'),
    symmetry: fc.constantFrom('general', 'symmetric', 'skew-symmetric', 'hermitian'),
    sizes: fc.tuple(integer, integer),
    entries: fc.array(fc.tuple(integer, integer, number), { maxLength: 8 }),
    more: fc.constantFrom(0, 0, 0, 0, 1, -1, 1e12),
    end: fc.constantFrom('\n', '\n', '\r\n', '\n\n% a comment\n', ' \t\n'),
  })
  .map(({ kind, field, symmetry, sizes, entries, more, end }) => {
    const lines = [`%%MatrixMarket matrix ${kind} ${field} ${symmetry}`];
    if (kind === 'array') lines.push(sizes.join(' '), ...entries.map(([, , value]) => value));
    else {
      lines.push(`${sizes.join(' ')} ${entries.length + more}`);
      lines.push(...entries.map((entry) => entry.slice(0, field === 'pattern' ? 2 : 3).join(' ')));
    }
    return utf8(lines.join(end) + end);
  });

function checkMatrix({ shape: [rows, columns], indptr, indices, data, nnz }: CsrMatrix): void {
  ensure(indptr.length === rows + 1 && indptr[0] === 0 && indptr[rows] === nnz, 'indptr');
  ensure(indices.length === nnz && data.length === nnz, 'lengths');
  for (let row = 0; row < rows; row++) {
    for (let k = indptr[row]; k < indptr[row + 1]; k++) {
      const after = k === indptr[row] ? -1 : indices[k - 1];
      ensure(indices[k] > after && indices[k] < columns, `column ${indices[k]} in row ${row}`);
    }
  }
  ensure(data.every(Number.isFinite), 'a value is not finite');
}

export const matrixMarket: FuzzTarget = {
  name: 'matrix-market',
  seeds: () => [...fixtures('formats', '.mtx'), ...fixtures('systems', '.mtx', 3000)],
  nasty,
  generate: made,
  memory: (input) => 2 ** 20 + 64 * MOST + 512 * input,
  run(input) {
    const file = readMatrixMarket(input, { maxSize: MOST });
    const values = file.kind === 'array' ? file.data : file.matrix.data;
    if (file.kind === 'array') {
      ensure(file.data.length === file.shape[0] * file.shape[1], 'shape and data differ');
      ensure(file.data.every(Number.isFinite), 'a value is not finite');
    } else {
      checkMatrix(file.matrix);
      if (file.symmetry !== 'general') {
        const sign = file.symmetry === 'symmetric' ? 1 : -1;
        const transposed = file.matrix.transpose();
        ensure(
          transposed.indices.join() === file.matrix.indices.join(),
          `the pattern is not ${file.symmetry}`,
        );
        ensure(
          transposed.data.every((value, k) => value === sign * values[k]),
          `it is not ${file.symmetry}`,
        );
      }
    }
    const again = readMatrixMarket(
      writeMatrixMarket(file.kind === 'array' ? { data: file.data, shape: file.shape } : file.matrix),
      { maxSize: MOST },
    );
    const back = again.kind === 'array' ? again.data : again.matrix.data;
    ensure(
      again.kind === file.kind && back.every((value, k) => value === values[k]),
      'other values are read back',
    );
    if (again.kind === 'coordinate' && file.kind === 'coordinate') {
      ensure(
        again.matrix instanceof CsrMatrix && again.matrix.indices.join() === file.matrix.indices.join(),
        'pattern',
      );
    }
  },
};

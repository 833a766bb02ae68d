import fc from 'fast-check';
import { cifarLayout, cifarRecordBytes, parseCifarRecord } from '../../../src/formats/cifar.ts';
import { ensure, type FuzzTarget } from '../target.ts';

const records = (count: number, bytes: number, label: number) => {
  const file = new Uint8Array(count * bytes).fill(7);
  for (let k = 0; k < count; k++) file[k * bytes] = label;
  return file;
};

/** There is no header: what is read is the length, and the labels. */
export const cifar: FuzzTarget = {
  name: 'cifar',
  seeds: () => [records(1, 3073, 3), records(3, 3073, 9), records(2, 3074, 19)],
  nasty: () => ({
    'nothing at all': new Uint8Array(0),
    'a label over 9': records(1, 3073, 10),
    'a coarse label over 19': records(1, 3074, 20),
    'one byte less': records(1, 3073, 1).slice(1),
    'one byte more': new Uint8Array(2 * 3074 + 1),
  }),
  generate: fc
    .tuple(fc.nat(3), fc.constantFrom(3072, 3073, 3074), fc.nat(255), fc.constantFrom(-1, 0, 0, 0, 1))
    .map(([count, bytes, label, more]) => records(1, Math.max(0, count * bytes + more), label)),
  run(input) {
    const { kind, count } = cifarLayout(input.length);
    const bytes = cifarRecordBytes(kind);
    ensure(count * bytes === input.length, 'the records are not all of the file');
    for (let k = 0; k < count; k++) {
      const { labels, pixels } = parseCifarRecord(input.subarray(k * bytes, (k + 1) * bytes), kind);
      ensure(pixels.length === 3072, 'a record of another length');
      ensure(labels[0] < (kind === 'cifar10' ? 10 : 20), `the label ${labels[0]}`);
    }
  },
};

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cifarLayout, cifarRecordBytes, parseCifarRecord } from '../../src/formats/index.ts';
import { expected, readFixture } from '../dataset/source-fixtures.ts';
import { expectError } from '../sparse/expect-error.ts';

describe('CIFAR', () => {
  it.each([
    ['data_batch_1.bin', 'cifar10', 3],
    ['train.bin', 'cifar100', 2],
  ] as const)('reads %s as NumPy does', (name, kind, count) => {
    const bytes = readFixture(name);
    const { labels, hash, pixel } = expected.cifar[name];
    expect(cifarLayout(bytes.length)).toEqual({ kind, count });
    const length = cifarRecordBytes(kind);
    for (let k = 0; k < count; k++) {
      const record = parseCifarRecord(bytes.subarray(k * length, (k + 1) * length), kind);
      expect(record.labels).toEqual(labels[k]);
      expect(createHash('sha256').update(record.pixels).digest('hex')).toBe(hash[k]);
      expect([0, 1, 2].map((c) => record.pixels[c * 1024 + 3 * 32 + 7])).toEqual(pixel[k]);
    }
  });

  it('knows the files of the data sets by their lengths', () => {
    expect(cifarLayout(30_730_000)).toEqual({ kind: 'cifar10', count: 10_000 });
    expect(cifarLayout(153_700_000)).toEqual({ kind: 'cifar100', count: 50_000 });
  });

  it.each([0, 1, 3072, 3075, 30_729_999, Number.NaN, -3073])('refuses %d bytes', (bytes) => {
    expectError(() => cifarLayout(bytes), 'BAD_FORMAT', /no whole number of records/);
  });

  it('refuses labels that no class has, and records of another length', () => {
    const ten = readFixture('data_batch_1.bin').subarray(0, 3073);
    ten[0] = 10;
    expectError(() => parseCifarRecord(ten, 'cifar10'), 'BAD_FORMAT', /label 10 is none of cifar10's 10/);
    const hundred = readFixture('train.bin').subarray(0, 3074);
    hundred[1] = 100;
    expectError(() => parseCifarRecord(hundred, 'cifar100'), 'BAD_FORMAT', /label 100 .* 100 classes/);
    expectError(() => parseCifarRecord(ten, 'cifar100'), 'BAD_FORMAT', /has 3074 bytes, not 3073/);
    expectError(() => parseCifarRecord(ten, 'toString' as never), 'INVALID_VALUE', /kind must be/);
  });
});

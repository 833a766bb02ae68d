/** What a data set's store and its queue hold, in text. */

import fc from 'fast-check';
import { parseQueueUrl } from '../../../src/dataset/queue/connection.ts';
import { checkJob, parseFailure } from '../../../src/dataset/queue/jobs.ts';
import { redact } from '../../../src/dataset/queue/secrets.ts';
import { formatLine, parseIndex, parseLine } from '../../../src/dataset/sources/catalogue-lines.ts';
import { parseStoreMetadata, storeMetadata } from '../../../src/dataset/store/metadata.ts';
import { parseRecord } from '../../../src/dataset/store/records.ts';
import { EXTREME_NUMBERS } from '../damage.ts';
import { ensure, type FuzzTarget, utf8 } from '../target.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const json = (value: unknown) => utf8(JSON.stringify(value));

/** JSON in which some keys are missing, there are others, or values are anything. */
function nearly(value: unknown): fc.Arbitrary<Uint8Array> {
  const places: string[][] = [];
  const walk = (at: unknown, path: string[]) => {
    places.push(path);
    if (typeof at === 'object' && at !== null)
      for (const [key, inner] of Object.entries(at)) walk(inner, [...path, key]);
  };
  walk(value, []);
  const instead = fc.oneof(
    fc
      .constantFrom(
        ...EXTREME_NUMBERS,
        '"x"',
        '{"a":1}',
        '[1,2,3]',
        '[[]]',
        '"__proto__"',
        '"../../x"',
        '"\\u0000"',
        '{"__proto__":{"polluted":1}}',
      )
      .map((raw) => raw),
    fc.constantFrom(undefined),
  );
  return fc
    .array(
      fc.tuple(
        fc.constantFrom(...places),
        instead,
        fc.constantFrom(undefined, undefined, '__proto__', 'extra', 'constructor'),
      ),
      { maxLength: 2 },
    )
    .map((edits) => {
      let copy = JSON.parse(JSON.stringify(value));
      const raws: string[] = [];
      for (const [path, raw, extra] of edits) {
        // A place in the text for what JSON could not say: numbers that are too long for a double.
        const mark = raw === undefined ? undefined : `@${raws.push(raw) - 1}@`;
        if (path.length === 0 && extra === undefined) copy = mark;
        const parent = path
          .slice(0, -1)
          .reduce((at, key) => (typeof at === 'object' && at !== null ? at[key] : undefined), copy);
        if (typeof parent !== 'object' || parent === null) continue;
        const key = extra ?? path[path.length - 1];
        if (key !== undefined)
          Object.defineProperty(parent, key, {
            value: mark,
            enumerable: true,
            configurable: true,
            writable: true,
          });
      }
      const whole = JSON.stringify(copy) ?? '';
      return utf8(whole.replace(/"@(\d+)@"/g, (_, k: string) => raws[Number(k)]));
    });
}

const unpolluted = () =>
  ensure(({} as { polluted?: unknown }).polluted === undefined, 'the prototype of all objects was changed');

const shape = {
  images: 10,
  levels: 3,
  channels: 3,
  pictureChannels: 3,
  height: 4,
  width: 5,
  components: 2,
  shardImages: 4,
  dtype: 'float32',
  compression: 'lz4',
} as const;
const metadata = storeMetadata(shape, { note: 'x' });
const parsed = Object.fromEntries(
  Object.entries(metadata).map(([file, content]) => [file, JSON.parse(content)]),
);

/** All metadata files in one object, each parsed. */
export const zarrMetadata: FuzzTarget = {
  name: 'zarr-metadata',
  seeds: () => [json(parsed)],
  generate: nearly(parsed),
  nasty: () => ({
    'nothing at all': json({}),
    '2^62 images': json({
      ...parsed,
      'scores/zarr.json': { ...parsed['scores/zarr.json'], shape: [2 ** 62, 3, 3, 2, 4, 5] },
    }),
    '2^31 - 1 images of 2^16 x 2^16': json({
      ...parsed,
      'scores/zarr.json': { ...parsed['scores/zarr.json'], shape: [2 ** 31 - 1, 3, 3, 2, 65536, 65536] },
    }),
    'a shape of 100,000 dimensions': json({
      ...parsed,
      'scores/zarr.json': { ...parsed['scores/zarr.json'], shape: Array(100_000).fill(1) },
    }),
    'no codecs': json({ ...parsed, 'scores/zarr.json': { ...parsed['scores/zarr.json'], codecs: [] } }),
    'the second version of Zarr': json({
      ...parsed,
      'zarr.json': { ...parsed['zarr.json'], zarr_format: 2 },
    }),
    'an unknown key': json({
      ...parsed,
      'time/zarr.json': { ...parsed['time/zarr.json'], transformers: { must_understand: true } },
    }),
  }),
  // Each file is split off by its name, so that what is damaged need not be JSON as a whole.
  run(input) {
    const whole = text(input);
    let files: Record<string, string | undefined>;
    try {
      const value: unknown = JSON.parse(whole);
      files = Object.fromEntries(
        Object.entries(value ?? {}).map(([file, content]) => [file, JSON.stringify(content)]),
      );
    } catch {
      files = { ...metadata, 'scores/zarr.json': whole };
    }
    const { shape: read } = parseStoreMetadata(files);
    // What is accepted is what would be written.
    const again = storeMetadata(read, {});
    ensure(parseStoreMetadata(again).shape.images === read.images, 'another shape is read back');
    unpolluted();
  },
};

const image = (index: number) => ({
  index,
  source: `a/${index}.png`,
  hash: 'ab'.repeat(32),
  status: 'converged',
  iterations: 7,
  seconds: 0.5,
});
const record = {
  shard: 1,
  images: [4, 5, 6, 7].map(image),
  bytes: 1000,
  worker: 'm:1:2',
  attempt: 1,
  finished: '2026-01-01T00:00:00Z',
  commit: '0123456789abcdef',
};

export const shardRecord: FuzzTarget = {
  name: 'shard-record',
  seeds: () => [
    json(record),
    json({
      ...record,
      images: record.images.map((one) => ({ ...one, status: 'failed', error: 'x', hash: undefined })),
    }),
  ],
  nasty: () => ({
    'nothing at all': utf8(''),
    '50,000 brackets': utf8('['.repeat(50_000)),
    'of another shard': json({ ...record, shard: 0 }),
    'an image less': json({ ...record, images: record.images.slice(1) }),
    'an image twice': json({ ...record, images: [4, 4, 6, 7].map(image) }),
    'the status pending': json({
      ...record,
      images: record.images.map((one) => ({ ...one, status: 'pending' })),
    }),
    'the status constructor': json({
      ...record,
      images: record.images.map((one) => ({ ...one, status: 'constructor' })),
    }),
    'a key __proto__': utf8(JSON.stringify(record).replace('{', '{"__proto__":{"polluted":1},')),
    'a long unknown key': utf8(JSON.stringify(record).replace('{', `{"${'k'.repeat(100_000)}":1,`)),
    'the shard a long list': utf8(JSON.stringify({ ...record, shard: Array(10_000).fill(1) })),
  }),
  generate: nearly(record),
  run(input) {
    const read = parseRecord(text(input), shape, 1);
    ensure(read.shard === 1 && read.images.length === 4 && read.images[3].index === 7, 'another record');
    unpolluted();
  },
};

const entry = {
  name: 'a.npy',
  kind: 'npy',
  path: '/data/a.npy',
  offset: 128,
  length: 48,
  count: 3,
  shape: [3, 2, 2],
  dtype: '<f4',
} as const;
const line = JSON.parse(formatLine({ ...entry, shape: [3, 2, 2] }, 5)) as unknown;

export const catalogueLine: FuzzTarget = {
  name: 'catalogue-line',
  seeds: () => [json(line), json({ first: 0, name: 'a.png', path: '/a.png', length: 5 })],
  nasty: () => ({
    'nothing at all': utf8(''),
    'a list': utf8('[]'),
    'no path': json({ ...(line as object), path: '' }),
    'an offset past 2^53': json({ ...(line as object), offset: 2 ** 53 }),
    'an end past 2^53': json({ ...(line as object), length: 2 ** 52, count: 3 }),
    'no images': json({ ...(line as object), count: 0 }),
    'a negative length': json({ ...(line as object), length: -1 }),
    'a name of 100,000 characters that is no text': json({
      ...(line as object),
      name: ['x'.repeat(100_000)],
    }),
  }),
  generate: nearly(line),
  run(input) {
    const { first, entry: read } = parseLine(text(input));
    ensure(
      Number.isSafeInteger(first + read.count) &&
        Number.isSafeInteger(read.offset + read.count * read.length),
      'a range',
    );
    ensure(
      formatLine(read, first) === formatLine(parseLine(formatLine(read, first)).entry, first),
      'another line is read back',
    );
    unpolluted();
  },
};

const index = {
  version: 1,
  count: 600,
  shape: [3, 2, 2],
  hash: 'cd'.repeat(32),
  bytes: 9000,
  marks: [
    [0, 0],
    [256, 4000],
    [512, 8000],
  ],
};

export const catalogueIndex: FuzzTarget = {
  name: 'catalogue-index',
  seeds: () => [json(index)],
  nasty: () => ({
    'nothing at all': utf8(''),
    'marks that fall': json({
      ...index,
      marks: [
        [0, 0],
        [256, 8000],
        [512, 4000],
      ],
    }),
    'marks past the end': json({
      ...index,
      marks: [
        [0, 0],
        [256, 10_000],
      ],
    }),
    'no marks': json({ ...index, marks: [] }),
    'a mark that begins later': json({ ...index, marks: [[1, 0]] }),
  }),
  generate: nearly(index),
  run(input) {
    const { count, marks } = parseIndex(input);
    ensure(count > 0 && marks[0][0] === 0 && marks[marks.length - 1][0] < count, 'marks');
    unpolluted();
  },
};

const job = { store: '/data/run.zarr', plan: 'ab', shard: 3, attempt: 1 };

export const queueJob: FuzzTarget = {
  name: 'queue-job',
  seeds: () => [json(job)],
  nasty: () => ({
    'nothing at all': json(null),
    'a shard of 1e400': utf8('{"store":"a","plan":"b","shard":1e400,"attempt":1}'),
    'attempt 0': json({ ...job, attempt: 0 }),
    'a list': utf8('[]'),
  }),
  generate: nearly(job),
  run(input) {
    const said = text(input);
    ensure(typeof parseFailure(said).message === 'string', 'a failure without a message');
    let value: unknown;
    try {
      value = JSON.parse(said);
    } catch {
      value = said;
    }
    const { store, plan, shard, attempt } = checkJob(value);
    ensure(
      typeof store === 'string' && typeof plan === 'string' && shard >= 0 && attempt >= 1,
      'another job',
    );
    unpolluted();
  },
};

const SECRET = 'S3cretPass';

/** Whether a text has the secret, which it must not where the secret is a password and nothing else. */
function tells(url: string, shown: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password, host, pathname } = new URL(url);
  const isPublic = host.toLowerCase().includes(SECRET.toLowerCase()) || pathname.includes(SECRET);
  return `${username}:${password}`.includes(SECRET) && !isPublic && shown.includes(SECRET);
}

export const queueAddress: FuzzTarget = {
  name: 'queue-address',
  seeds: () =>
    [
      `redis://user:${SECRET}@host:6379/0`,
      `rediss://:${SECRET}@[::1]:6380/15`,
      `unix://:${SECRET}@/run/redis.sock`,
      'redis://host',
      `redis://${SECRET}%40x:${SECRET}@h`,
    ].map(utf8),
  nasty: () => ({
    'nothing at all': utf8(''),
    'another scheme': utf8('http://host'),
    'a script': utf8('javascript:alert(1)'),
    'half of a percent code': utf8('unix:///run/%e0%a4%a'),
    'half of a percent code in the password': utf8('redis://a:%e0%a4%a@host'),
    'an address of 100,000 characters': utf8(`redis://${'h'.repeat(100_000)}/x`),
    'a port of 99999': utf8('redis://host:99999'),
  }),
  generate: fc
    .tuple(
      fc.constantFrom('redis:', 'rediss:', 'unix:', 'http:', ''),
      fc.constantFrom('//', '', '/', '///'),
      fc.constantFrom('', `u:${SECRET}@`, `:${SECRET}@`, `${SECRET}@`, '%@', 'a:%ff@', 'a:b@c@'),
      fc.constantFrom('host', '[::1]', '', 'h:1', 'h:99999', 'a b', 'é', '1.2.3.4.5', '%00'),
      fc.constantFrom('', '/', '/0', '/x', '/%', '/%ff', '/../x', '?a=b', '#c', '/1e9', `/${'9'.repeat(30)}`),
    )
    .map((parts) => utf8(parts.join(''))),
  run(input) {
    const url = text(input);
    try {
      const { db, port, path } = parseQueueUrl(url);
      ensure(
        path !== undefined || (Number.isSafeInteger(db) && Number.isInteger(port)),
        `database ${db}, port ${port}`,
      );
    } catch (error) {
      const { message } = error as Error;
      ensure(!tells(url, message), `the password is in the message: ${message}`);
      throw error;
    }
    ensure(!tells(url, redact(url)), 'the password is shown');
  },
};

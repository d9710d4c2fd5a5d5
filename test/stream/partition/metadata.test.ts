import { expect, it } from 'vitest';
import {
  checksumOf,
  encodeMetadata,
  type PartitionMetadata,
  parseMetadata,
  rulesOf,
} from '../../../src/stream/partition/metadata.ts';
import { FEATURES } from '../simulation/oracle.ts';

const LARGEST = Number.MAX_SAFE_INTEGER;
const METADATA: PartitionMetadata = {
  checkpoint: {
    position: LARGEST,
    replay: { offset: LARGEST, maximum: LARGEST },
    maximum: LARGEST,
    frontier: LARGEST,
    flushed: LARGEST,
  },
  partitions: LARGEST,
  last: { offset: LARGEST, checksum: 'f'.repeat(16) },
  pending: LARGEST,
  partial: LARGEST,
  features: 'f'.repeat(64),
  decoding: 'f'.repeat(16),
  rules: rulesOf(FEATURES),
  model: `${'f'.repeat(64)} ${'f'.repeat(64)}`,
  modelSince: LARGEST,
  owner: { job: 'fraud', scores: 'fraud-scores' },
};

it('is read as it was written, and Kafka keeps the longest one', () => {
  const { owner: _unknown, ...earlier } = METADATA;
  const empty = {
    ...earlier,
    checkpoint: { ...METADATA.checkpoint, maximum: null, frontier: null },
    partial: null,
    last: null,
  };
  for (const metadata of [METADATA, empty]) {
    const text = encodeMetadata(metadata);
    expect(text.length).toBeLessThan(1000);
    expect(parseMetadata(text, LARGEST, 'here')).toEqual(metadata);
  }
});

it.each([
  'null',
  '[]',
  '{',
  '{"v":1}',
  encodeMetadata(METADATA).replace('"flushed":', '"flushed":-'),
  encodeMetadata(METADATA).replace('"last":[', '"last":[0,'),
  encodeMetadata(METADATA).replace('"owner":[', '"owner":[0,'),
])('refuses %s', (text) => {
  expect(() => parseMetadata(text, LARGEST, 'here')).toThrow(/^here: /);
});

it('knows a record by its time, key and value, and what is null from what is empty', () => {
  const record = { offset: 1, timestamp: 1, key: Buffer.from('ab'), value: Buffer.from('c') };
  const others = [
    record,
    { ...record, timestamp: 2 },
    { ...record, key: Buffer.from('a'), value: Buffer.from('bc') },
    { ...record, value: null },
    { ...record, value: Buffer.alloc(0) },
  ];
  expect(new Set(others.map(checksumOf)).size).toBe(others.length);
  expect(checksumOf({ ...record, offset: 2 })).toBe(checksumOf(record));
});

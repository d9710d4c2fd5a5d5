import { expect, it } from 'vitest';
import { readRejection } from '../../../src/stream/compare/record.ts';

const letter = (timestamp: string) => `{"reason":"late","partition":0,"offset":7,"timestamp":${timestamp},"time":5}`;

it('reads a dead letter, also of a record whose timestamp is in nanoseconds', () => {
  const of = { reason: 'late', partition: 0, offset: 7, time: 5 };
  expect(readRejection(letter('1700000000000'), 'r')).toEqual({ ...of, timestamp: 1_700_000_000_000 });
  expect(readRejection(letter('1700000000000000000'), 'r')).toEqual({ ...of, timestamp: 1.7e18 });
});

it.each(['1.5', '"1"', 'null', '1e999'])('does not take a record with the timestamp %s for one', (timestamp) => {
  expect(() => readRejection(letter(timestamp), 'record 0:7 of dead')).toThrow(
    'record 0:7 of dead is not a dead letter of score-batch stream',
  );
});

import { expect, it } from 'vitest';
import { TransactionError } from '../../../src/stream/log.ts';
import { countRestarts, RESTART_LIMITS } from '../../../src/stream/partition/restarts.ts';
import { nothingWritten, replaceTooLarge } from '../../../src/stream/partition/scoring.ts';
import { OUTPUTS } from '../simulation/simulate.ts';

const HOUR = 3_600_000;

function restarts() {
  const clock = { at: 0 };
  const counted = countRestarts('events', RESTART_LIMITS, { now: () => clock.at, random: () => 0.5 });
  const fail = (ms: number) => {
    clock.at += ms;
    return counted.failed(0, new TransactionError('the coordinator moved'));
  };
  return { counted, fail };
}

it('does not add up failures of a quiet partition that was opened between them', () => {
  const { counted, fail } = restarts();
  const first = fail(0);
  counted.opened(0);
  expect(fail(HOUR)).toBe(first);
});

it('ends when a partition cannot be opened, or fails soon after each time', () => {
  const closed = restarts();
  closed.fail(0);
  expect(() => closed.fail(HOUR)).toThrow(/no transaction of partition 0 of events succeeded for 3600 s/);
  const failing = restarts();
  expect(() => {
    for (let i = 0; i < 20; i += 1) {
      failing.fail(10_000);
      failing.counted.opened(0);
    }
  }).toThrow(/succeeded for \d+ s/);
});

it('takes one score out of more than the arguments of a call can be', () => {
  const written = nothingWritten();
  const record = { offset: 0, timestamp: 0, key: null, value: null };
  for (let offset = 0; offset < 200_000; offset += 1) {
    const event = { offset, timestamp: 0, key: 'k', id: 'i', time: 0, values: [] };
    const due = { event, features: [], capped: false, idle: false };
    written.records.push({ topic: 'scores', key: null, value: `${offset}` });
    written.origins.push({ due, record });
    written.events.push(due);
  }
  const large = written.records[7];
  const clock = { now: () => 0, elapsed: () => 0, after: () => () => undefined };
  const options = { outputs: OUTPUTS, partition: 0, scorer: {} as never, clock };
  expect(large && replaceTooLarge(large, written, options)).toBe(true);
  expect(written.records).toHaveLength(200_000);
  expect(written.events).toHaveLength(199_999);
  expect(written.records.slice(6, 8).map(({ value }) => value)).toEqual(['6', '8']);
});

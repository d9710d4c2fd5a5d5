import { expect, it } from 'vitest';
import { EXIT_CODES, type ScoreBatchError } from '../../../src/errors.ts';
import { append, type Place, place } from './one-process.ts';

const TEN = Array.from({ length: 10 }, (_, i) => ({ key: `k${i}` }));

/** Ten events are scored, and Kafka forgets the group while it is stopped. Ten more came. */
async function forgotten(): Promise<Place> {
  const topic = place(2);
  append(topic.broker, TEN);
  expect(await topic.run()).toBeUndefined();
  topic.broker.committed.clear();
  append(topic.broker, TEN);
  return topic;
}

it.each(['earliest', 'latest'] as const)(
  'refuses to begin at the %s where scores are, unless that is accepted',
  async (start) => {
    const topic = await forgotten();
    const error = (await topic.run({ start })) as ScoreBatchError;
    expect(EXIT_CODES[error.kind]).toBe(78);
    expect(error.message).toBe('group g has no committed offsets for topic events, but scores have been written to scores');
    expect([error.hint, ...error.details].join()).toMatch(/--accept-new-group.*offsets\.retention\.minutes/);
    expect(topic.written()).toHaveLength(10);
    expect(topic.broker.committed.size).toBe(0);
    expect(await topic.run({ start, acceptNewGroup: true })).toBeUndefined();
    expect(topic.written()).toHaveLength(start === 'earliest' ? 30 : 10);
    // Now it has committed something.
    append(topic.broker, TEN.slice(0, 1));
    expect(await topic.run({ start })).toBeUndefined();
    expect(topic.written()).toHaveLength(start === 'earliest' ? 31 : 11);
  },
);

it('refuses it also where retention has deleted the scores', async () => {
  const topic = await forgotten();
  const { describe } = topic.broker;
  topic.broker.describe = (name) => {
    const facts = describe(name);
    return { ...facts, partitions: facts.partitions.map((one) => (name === 'scores' ? { ...one, begin: one.end } : one)) };
  };
  expect(await topic.run()).toMatchObject({ kind: 'configuration', message: expect.stringContaining('no committed offsets') });
});

it.each([0, 1])('continues if anything is committed, if only of partition %s', async (partition) => {
  const topic = await forgotten();
  expect(await topic.run({ acceptNewGroup: true })).toBeUndefined();
  topic.broker.committed.delete(1 - partition);
  expect(await topic.run()).toBeUndefined();
});

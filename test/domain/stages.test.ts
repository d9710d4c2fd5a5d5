import { expect, it } from 'vitest';
import { bottleneck, StageClock, type StageSeconds } from '../../src/domain/stages.ts';

const NONE: StageSeconds = {
  plan: 0,
  freeze: 0,
  read: 0,
  encode: 0,
  score: 0,
  stage: 0,
  reconcile: 0,
  publish: 0,
  report: 0,
};

it.each<[Partial<StageSeconds>, string]>([
  [{ score: 8, publish: 2 }, 'the model (score: 8.0 of 10.0 s, 80 %)'],
  [{ score: 1, publish: 1.24, report: 1 }, 'the warehouse (publish: 1.2 of 3.2 s, 38 %)'],
  [{ read: 3, encode: 2.99 }, 'reading (read: 3.0 of 6.0 s, 50 %)'],
  [{ encode: 1 }, 'the features (encode: 1.0 of 1.0 s, 100 %)'],
  [{}, 'starting up (plan: 0.0 of 0.0 s, 0 %)'],
])('%o: it is %s', (seconds, text) => {
  expect(bottleneck({ ...NONE, ...seconds })).toBe(text);
});

it('seconds of a stage add up, also those of work that failed', async () => {
  const clock = new StageClock();
  clock.add('score', 1.2344004);
  clock.add('score', 2);
  await expect(clock.time('publish', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await clock.time('read', async () => 'rows')).toBe('rows');
  const { publish, read, ...others } = clock.seconds;
  expect([publish, read].every((seconds) => seconds >= 0)).toBe(true);
  expect({ ...others, publish: 0, read: 0 }).toEqual({ ...NONE, score: 3.2344 });
});

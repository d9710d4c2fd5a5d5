import { expect, it } from 'vitest';
import { readEventFeatures } from '../../../src/event-features/read.ts';
import { openScorer } from '../../../src/stream/score/open-scorer.ts';
import { repository } from '../../support/project.ts';
import { FEATURES } from '../stream-project.ts';

const features = readEventFeatures(FEATURES, 'features.yaml');
const model = repository('test/fixtures/models/linear');

it('names every feature of the model that has no source, two, or one of another type', async () => {
  const open = (renamed: Record<string, string>, attributes: { name: string; type: 'int64' | 'string' }[] = []) =>
    openScorer({ model, scoreClass: undefined, features, attributes, renamed });
  await expect(open({ b: 'amont_5m', c: 'a' })).rejects.toMatchObject({
    kind: 'configuration',
    details: [
      'features: the model has no feature c; did you mean a?',
      'b (amont_5m) is not a feature, field or attribute; did you mean amount_5m?',
    ],
  });
  await expect(open({ a: 'latitude', b: 'longitude' })).rejects.toMatchObject({
    details: [
      'a (latitude) is not a feature, field or attribute',
      'b (longitude) is not a feature, field or attribute',
      'the stream has transaction_id, user_id, at, amount, merchant, a, amount_5m, since_last',
    ],
  });
  await expect(open({ b: 'merchant' }, [{ name: 'a', type: 'int64' }])).rejects.toMatchObject({
    details: [
      'a is both a window and an attribute; rename the attribute',
      'b (merchant) is string, but the model takes float32',
    ],
  });
});

it('scores each event alone as in a batch, in turns, with nulls by the rules of the bundle', async () => {
  const attributes = [{ name: 'b', type: 'int64' as const }];
  const scorer = await openScorer({ model, scoreClass: undefined, features, attributes, renamed: {} });
  const event = { offset: 0, timestamp: 0, key: 'u', id: 'i', time: 0, values: [] };
  const due = (a: number | bigint | null, b: number | null) => ({
    due: { event, features: [a, null, null], capped: false, idle: false },
    attributes: b === null ? undefined : { version: '0:1', values: [b] },
  });
  const events = Array.from({ length: 2501 }, (_, i) => due(i % 90, i % 3 === 0 ? null : i % 7));
  const alone = Promise.all(events.slice(0, 40).map((one) => scorer.score([one])));
  const { millionths, rejected } = await scorer.score(events);
  expect((await alone).map((one) => one.millionths[0])).toEqual([...millionths.subarray(0, 40)]);
  expect(rejected.every((code) => code === 0)).toBe(true);
  const refused = await scorer.score([due(null, 1), due(2n ** 60n, 1)]);
  expect(refused.rejected.map((code) => code !== 0)).toEqual([true, true]);
  await scorer.close();
});

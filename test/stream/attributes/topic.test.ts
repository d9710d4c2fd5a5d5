import { expect, it } from 'vitest';
import { memoryTopic } from './memory-topic.ts';
import { eventually, opened } from './opened.ts';

const SETTINGS = {
  topic: 'users',
  columns: [
    { name: 'home', type: 'string' },
    { name: 'age', type: 'int64' },
    { name: 'risk', type: 'float64' },
    { name: 'checked', type: 'bool' },
  ],
} as const;

const user = (home: string, age: number) => ({ home, age, risk: 0.5, checked: true });

it('reads all partitions to their ends, then follows: newer rows, tombstones, versions', async () => {
  const { log, append } = memoryTopic('users', 3);
  append(0, 'ann', user('DK', 30));
  for (let i = 0; i < 20; i += 1) append(1, `user ${i}`, user('SE', i));
  const newest = append(0, 'ann', user('NO', 31));
  append(0, 'eve', user('DE', 50));
  append(0, 'eve', null);
  const { attributes } = await opened(SETTINGS, { log });
  expect(attributes.rows).toBe(21);
  expect(attributes.find('ann')).toEqual({ version: newest, values: ['NO', 31, 0.5, true] });
  expect(attributes.find('eve')).toBeUndefined();

  append(0, 'ann', null);
  const again = append(0, 'eve', { home: 'FI', age: null, more: [1, 2] });
  await eventually(() => expect(attributes.find('eve')).toEqual({ version: again, values: ['FI', null, null, null] }));
  expect(attributes.find('ann')).toBeUndefined();
  expect(attributes.rows).toBe(21);
});

it('skips records that are no rows, and says so without their values', async () => {
  const { log, append } = memoryTopic('users');
  const good = append(0, 'ann', user('DK', 30));
  append(0, 'ann', { home: 7 });
  append(0, 'ann', '{"home":"sec');
  append(0, 'ann', ['secret']);
  append(0, 'ann', { age: 2 ** 53 });
  append(0, 'ann', '{"risk":1e999}');
  append(0, null, user('secret', 30));
  append(0, Buffer.from([0xc3, 0x28]), user('secret', 30));
  append(0, 'ann', { checked: 'secret' });
  for (let i = 0; i < 30; i += 1) append(1, 'bob', '');
  const { attributes, warnings } = await opened(SETTINGS, { log });
  expect(attributes.find('ann')).toEqual({ version: good, values: ['DK', 30, 0.5, true] });
  expect(attributes.rows).toBe(1);
  expect(warnings.length).toBe(2);
  expect(warnings[0]).toMatch(/^record \d:\d+ of the attribute topic users is skipped: /);
  expect(warnings[1]).toMatch(/\(10 so far\)$/);
  expect(warnings.join()).not.toContain('secret');
});

it('keeps only the columns that are needed, in the order in which they are', async () => {
  const { log, append } = memoryTopic('users');
  append(0, 'ann', user('DK', 30));
  const { attributes } = await opened(SETTINGS, { log, need: ['risk', 'home'] });
  expect(attributes.columns.map(({ name }) => name)).toEqual(['risk', 'home']);
  expect(attributes.find('ann')?.values).toEqual([0.5, 'DK']);
  await expect(opened(SETTINGS, { log, need: ['risk', 'income'] })).rejects.toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('has no income'),
  });
});

it('refuses a topic that does not keep what scores name', async () => {
  const { log, facts } = memoryTopic('users');
  const refused = async (change: typeof facts, message: string, hint: string) => {
    for (const name of Object.keys(facts)) Reflect.deleteProperty(facts, name);
    Object.assign(facts, change);
    await expect(opened(SETTINGS, { log })).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
  };
  await refused({ compacted: false, deletes: true }, 'is not compacted', 'cleanup.policy=compact`');
  await refused({ deletes: true }, 'also deletes old records', 'cleanup.policy=compact`');
  // 305 s of the window and an hour of lag.
  await refused({ minCompactionLagMs: 3_904_999 }, 'after 3904999 ms', 'min.compaction.lag.ms=3905000`');
  await refused({ minCompactionLagMs: undefined }, 'after 0 ms', 'min.compaction.lag.ms=3905000`');
  facts.minCompactionLagMs = 3_905_000;
  await opened(SETTINGS, { log });
  facts.minCompactionLagMs = 305_000 + 60_000;
  await opened({ ...SETTINGS, maxLagMs: 60_000 }, { log });
  await expect(opened({ ...SETTINGS, topic: 'persons' }, { log })).rejects.toMatchObject({
    kind: 'configuration',
    message: 'the attribute topic persons does not exist',
  });
});

it('ends when the topic is not the one any more that was read', async () => {
  for (const [change, message] of [
    [(topic: ReturnType<typeof memoryTopic>) => topic.drop(), 'the attribute topic users was deleted'],
    [
      (topic: ReturnType<typeof memoryTopic>) => {
        topic.facts.partitions = [0, 1].map((partition) => ({ partition, begin: 0, end: 0 }));
      },
      'the attribute topic users was deleted and recreated: partition 0 ends at offset 0, but was read up to 1',
    ],
    [
      (topic: ReturnType<typeof memoryTopic>) => {
        topic.facts.partitions = [0, 1, 2].map((partition) => ({ partition, begin: 0, end: 9 }));
      },
      'the attribute topic users now has 3 partitions instead of 2',
    ],
  ] as const) {
    const topic = memoryTopic('users');
    topic.append(0, 'ann', user('DK', 30));
    const { failure } = await opened(SETTINGS, { log: topic.log, watchMs: 5 });
    change(topic);
    expect(await failure).toMatchObject({ kind: 'configuration', message });
  }
});

it('ends when a key has rows in two partitions, and hides the key', async () => {
  const { log, append } = memoryTopic('users');
  append(0, 'ann', user('DK', 30));
  const { attributes, failure } = await opened(SETTINGS, { log });
  append(1, 'ann', null);
  append(1, 'bob', user('DK', 1));
  await eventually(() => expect(attributes.rows).toBe(2));
  append(1, 'ann', user('SE', 30));
  expect(await failure).toMatchObject({
    kind: 'configuration',
    message: expect.stringMatching(/rows in the partitions 0 and 1 \(sha256 [0-9a-f]{16}…\)$/),
  });
});

it('ends, and does not start, beyond the rows and bytes that are allowed', async () => {
  const { log, append } = memoryTopic('users');
  for (let i = 0; i < 10; i += 1) append(0, `user ${i}`, user('DK', i));
  const tight = { rows: 10, bytes: 1e6 };
  await expect(opened(SETTINGS, { log, limits: { ...tight, rows: 9 } })).rejects.toMatchObject({
    kind: 'unavailable',
    message: 'the attributes of the topic users exceed the limit of 9 rows',
    hint: expect.stringContaining('limits.attribute_rows'),
  });
  const { failure, attributes } = await opened(SETTINGS, { log, limits: tight });
  // A row that goes makes place for another one.
  append(0, 'user 0', null);
  append(0, 'user 10', user('DK', 10));
  await eventually(() => expect(attributes.find('user 10')).toBeDefined());
  append(0, 'user 11', user('DK', 11));
  expect(await failure).toMatchObject({ kind: 'unavailable' });
  append(0, 'user 11', null);
  const long = 'x'.repeat(100_000);
  for (let i = 0; i < 5; i += 1) append(0, 'user 1', user(`${long}${i}`, 1));
  const room = { rows: 1000, bytes: 300_000 };
  const big = await opened(SETTINGS, { log, limits: room });
  for (let i = 2; i < 5; i += 1) append(0, `user ${i}`, user(`${long}${i}`, 1));
  expect(await big.failure).toMatchObject({ kind: 'unavailable', hint: expect.stringContaining('limits.attribute_bytes') });
});

it('says what holds it back at the start, and ends at once with the signal', async () => {
  const { log, append, facts } = memoryTopic('users');
  append(0, 'ann', user('DK', 30));
  // As if a transaction were open from offset 1 on.
  facts.partitions = [{ partition: 0, begin: 0, end: 5 }];
  const ending = new AbortController();
  const warnings: string[] = [];
  const warn = (message: string) => warnings.push(message);
  const opening = opened(SETTINGS, { log, signal: ending.signal, watchMs: 5, warn });
  await eventually(() =>
    expect(warnings).toContain('the attribute topic users has not been read to its end yet: partition 0 is at 1 of 5'),
  );
  ending.abort(new Error('SIGTERM'));
  await expect(opening).rejects.toThrow('SIGTERM');
});

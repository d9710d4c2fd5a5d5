import { expect, it } from 'vitest';
import { writtenTopic } from '../../../src/stream/compare/written.ts';
import { memoryTopic } from '../attributes/memory-topic.ts';

const signal = new AbortController().signal;

it('reads a topic from a time on to where it ended, and no further', async () => {
  const { log, append } = memoryTopic('scores', 3);
  for (let i = 0; i < 20; i += 1) append(0, 'k', `a${i}`);
  for (let i = 0; i < 3; i += 1) append(1, 'k', `b${i}`);
  for (let i = 0; i < 7; i += 1) append(2, 'k', i === 6 ? null : `c${i}`);
  const found: string[] = [];
  await writtenTopic(log, 'scores', 5, signal).read(async (texts) => {
    for (const { text, where } of texts) found.push(`${where} ${text}`);
    // What comes meanwhile is of the next call.
    append(1, 'k', 'later');
  });
  const expected = Array.from({ length: 15 }, (_, i) => `record 0:${i + 5} of scores a${i + 5}`);
  expect(found.sort()).toEqual([...expected, 'record 2:5 of scores c5'].sort());
  await writtenTopic(log, 'scores', 1000, signal).read(async () => expect.unreachable());
  await expect(writtenTopic(log, 'absent', 0, signal).read(async () => undefined)).rejects.toMatchObject({
    kind: 'configuration',
    message: 'the topic absent does not exist',
  });
});

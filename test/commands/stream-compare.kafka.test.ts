import { expect, inject, it } from 'vitest';
import type { StreamCompareOutput } from '../../src/json/stream.ts';
import { streamedDay } from '../stream/streamed-day.ts';
import { scoreBatch } from '../support/score-batch.ts';

const brokers = inject('kafka') ?? [];
const COMPARE = ['stream', 'compare', '--job', 'fraud', '--batch', 'fraud-daily', '--date', '1997-03-15', '--json'];

// Without Java there is no Kafka.
it.runIf(brokers.length > 0)(
  'reads what a stream wrote from its topics, to their ends, and finds what it finds in files',
  async () => {
    const { folder, close } = await streamedDay(brokers);
    const topics = await scoreBatch(folder, COMPARE);
    expect(topics, topics.stderr).toMatchObject({ code: 0 });
    const data = JSON.parse(topics.stdout) as StreamCompareOutput;
    expect(data).toMatchObject({
      differ: 0,
      only_stream: 0,
      only_batch: 0,
      doubled: 0,
      not_scored: [{ reason: 'late', events: 6 }],
    });
    expect(data.compared).toBeGreaterThan(2750);
    const files = await scoreBatch(folder, [...COMPARE, '--scores', 'scores.jsonl', '--dead-letter', 'dead.jsonl']);
    expect(data).toEqual(JSON.parse(files.stdout));
    await close();
  },
  300_000,
);

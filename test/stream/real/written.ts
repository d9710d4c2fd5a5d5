import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { type JavaRecord, readCommitted } from '../../kafka/java-client.ts';
import { scoreBatchProcess } from '../../support/score-batch.ts';
import type { StreamTopics } from './stream-topics.ts';

/** A score as it is in its topic. */
export interface Score {
  readonly id: string;
  readonly score: number;
  readonly decision: string;
  readonly model: { readonly version: string; readonly digest: string };
  readonly features: Readonly<Record<string, unknown>>;
  readonly partition: number;
  readonly offset: number;
  readonly capped?: true;
  readonly idle?: true;
  readonly partial?: true;
}

export interface DeadLetter {
  readonly reason: string;
  readonly detail?: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * What Java's consumer reads of the outputs.
 *
 * @param least how many records there should be
 */
export async function written(
  { brokers, scores, dead }: StreamTopics,
  least: { readonly scores?: number; readonly dead?: number } = {},
): Promise<{ scores: Score[]; dead: DeadLetter[] }> {
  const scored = await read(brokers, scores, least.scores);
  return { scores: parsed<Score>(scored), dead: parsed<DeadLetter>(await read(brokers, dead, least.dead)) };
}

/** It ends by a pause, and not by a count, so that it finds what is there too often. On a busy machine the pauses must be longer. */
async function read(brokers: readonly string[], topic: string, least = 0): Promise<JavaRecord[]> {
  let records: JavaRecord[] = [];
  for (const quietMs of [5000, 20_000, 40_000]) {
    records = await readCommitted(brokers, topic, { quietMs });
    if (records.length >= least) break;
  }
  return records;
}

/**
 * Compares the outputs with those of one process that nothing disturbs: file mode, on the records that Java's consumer reads of the input. Each
 * event must be there once, with the same place, features, score and decision, and each dead letter with the same reason.
 */
export async function expectAsFileMode(topics: StreamTopics): Promise<{ scores: Score[]; dead: DeadLetter[] }> {
  const ends = await topics.admin.fetchTopicOffsets(topics.input);
  const count = ends.reduce((sum, { high }) => sum + Number(high), 0);
  const input = await readCommitted(topics.brokers, topics.input, { count });
  const expected = await fileMode(topics.folder, input);
  const least = { scores: expected.scores.filter(isNoEnd).length, dead: expected.dead.length };
  const found = await written(topics, least);
  const place = ({ partition, offset }: { partition: number; offset: number }) => `${partition}:${offset}`;
  expect(new Set([...found.scores, ...found.dead].map(place)).size).toBe(found.scores.length + found.dead.length);
  expect(byPlace(found.dead.map((one) => [place(one), one.reason]))).toEqual(
    byPlace(expected.dead.map((one) => [place(one), one.reason])),
  );
  expect(byPlace(found.scores.filter(isNoEnd).map(shown))).toEqual(byPlace(expected.scores.filter(isNoEnd).map(shown)));
  return found;
}

async function fileMode(folder: string, input: readonly JavaRecord[]): Promise<{ scores: Score[]; dead: DeadLetter[] }> {
  const events = [...input]
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset)
    .map(({ partition, offset, timestamp, value }) =>
      JSON.stringify({
        ...JSON.parse(value ?? ''),
        ...{ kafka_partition: partition, kafka_offset: offset, kafka_timestamp: timestamp },
      }),
    );
  await writeFile(path.join(folder, 'input.jsonl'), events.join('\n'));
  const files = ['--events', 'input.jsonl', '--out', 'scores.jsonl', '--dead-letter', 'dead.jsonl'];
  const { code, stderr } = await scoreBatchProcess(folder, ['stream', ...files]);
  expect(code, stderr).toBe(0);
  const lines = async <T>(name: string): Promise<T[]> =>
    (await readFile(path.join(folder, name), 'utf8'))
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
  return { scores: await lines<Score>('scores.jsonl'), dead: await lines<DeadLetter>('dead.jsonl') };
}

function shown({ partition, offset, id, score, decision, features, capped, idle }: Score): [string, string] {
  return [`${partition}:${offset}`, JSON.stringify({ id, score, decision, features, capped, idle })];
}

function isNoEnd({ id }: Score): boolean {
  return !id.startsWith('end ');
}

function byPlace(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function parsed<T>(records: readonly JavaRecord[]): T[] {
  return records.map(({ value }) => JSON.parse(value ?? '') as T);
}

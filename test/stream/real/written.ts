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
}

export interface DeadLetter {
  readonly reason: string;
  readonly detail?: string;
  readonly partition: number;
  readonly offset: number;
}

/** What Java's consumer reads of the outputs. */
export async function written({ brokers, scores, dead }: StreamTopics): Promise<{ scores: Score[]; dead: DeadLetter[] }> {
  const [scored, letters] = await Promise.all([readCommitted(brokers, scores), readCommitted(brokers, dead)]);
  return { scores: parsed<Score>(scored), dead: parsed<DeadLetter>(letters) };
}

/**
 * Compares the outputs with those of one undisturbed process: file mode, on the records that Java's consumer reads of the input. Each
 * event must be there once, with the same place, features, score and decision, and each dead letter with the same reason.
 */
export async function expectAsUndisturbed(topics: StreamTopics): Promise<{ scores: Score[]; dead: DeadLetter[] }> {
  const input = await readCommitted(topics.brokers, topics.input);
  const found = await written(topics);
  const expected = await undisturbed(topics.folder, input);
  const place = ({ partition, offset }: { partition: number; offset: number }) => `${partition}:${offset}`;
  expect(new Set([...found.scores, ...found.dead].map(place)).size).toBe(found.scores.length + found.dead.length);
  expect(byPlace(found.dead.map((one) => [place(one), one.reason]))).toEqual(
    byPlace(expected.dead.map((one) => [place(one), one.reason])),
  );
  expect(byPlace(found.scores.filter(isNoEnd).map(shown))).toEqual(byPlace(expected.scores.filter(isNoEnd).map(shown)));
  return found;
}

async function undisturbed(folder: string, input: readonly JavaRecord[]): Promise<{ scores: Score[]; dead: DeadLetter[] }> {
  const lines = [...input]
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset)
    .map(({ partition, offset, timestamp, value }) =>
      JSON.stringify({
        ...JSON.parse(value ?? ''),
        ...{ kafka_partition: partition, kafka_offset: offset, kafka_timestamp: timestamp },
      }),
    );
  await writeFile(path.join(folder, 'input.jsonl'), lines.join('\n'));
  const files = ['--events', 'input.jsonl', '--out', 'scores.jsonl', '--dead-letter', 'dead.jsonl'];
  const { code, stderr } = await scoreBatchProcess(folder, ['stream', ...files]);
  expect(code, stderr).toBe(0);
  const read = async <T>(name: string): Promise<T[]> =>
    (await readFile(path.join(folder, name), 'utf8'))
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
  return { scores: await read<Score>('scores.jsonl'), dead: await read<DeadLetter>('dead.jsonl') };
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

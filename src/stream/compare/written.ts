import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { ScoreBatchError, unreadableArgument } from '../../errors.ts';
import type { Log } from '../log.ts';

/** A record's value, and its position for messages. */
interface WrittenText {
  readonly text: string;
  readonly where: string;
}

/** Consumes records; reading waits until it resolves. */
type Take = (texts: readonly WrittenText[]) => Promise<void>;

/** A source of records that the stream wrote. */
export interface Written {
  /** Shown in messages: name of the file or topic. */
  readonly name: string;
  read(take: Take): Promise<void>;
}

const LINES_AT_ONCE = 2000;

/** A file with a JSON object per line. @param file absolute path */
export function writtenFile(file: string, name: string): Written {
  return {
    name,
    async read(take) {
      let texts: WrittenText[] = [];
      let number = 0;
      try {
        for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
          number += 1;
          if (text === '') continue;
          texts.push({ text, where: `${name}:${number}` });
          if (texts.length < LINES_AT_ONCE) continue;
          await take(texts);
          texts = [];
        }
      } catch (error) {
        throw error instanceof ScoreBatchError ? error : unreadableArgument(name, error, 'check the path');
      }
      await take(texts);
    },
  };
}

/**
 * The committed records of a topic, from those written at `from` to the end that it has now.
 *
 * @param from epoch milliseconds
 */
export function writtenTopic(log: Log, topic: string, from: number, signal: AbortSignal): Written {
  return {
    name: `the topic ${topic}`,
    async read(take) {
      const facts = await log.describe(topic);
      if (facts === undefined) {
        throw new ScoreBatchError('configuration', `the topic ${topic} does not exist`, {
          hint: 'check that the stream job names this topic and has written to it, or use files with --scores and --dead-letter',
        });
      }
      const next = new Map<number, number>();
      const left = new Set<number>();
      const ends = new Map(facts.partitions.map(({ partition, end }) => [partition, end]));
      for (const { partition, end } of facts.partitions) {
        const offset = await log.offsetAt(topic, partition, from);
        if (offset >= end) continue;
        next.set(partition, offset);
        left.add(partition);
      }
      if (left.size === 0) return;
      const ending = new AbortController();
      await log.read(
        topic,
        next,
        async ({ partition, records, next: after }) => {
          const texts = records.flatMap(({ value, offset }) =>
            value === null ? [] : [{ text: value.toString('utf8'), where: `record ${partition}:${offset} of ${topic}` }],
          );
          if (left.has(partition)) await take(texts);
          if (after >= (ends.get(partition) ?? 0)) left.delete(partition);
          if (left.size === 0) ending.abort();
        },
        AbortSignal.any([signal, ending.signal]),
      );
      signal.throwIfAborted();
    },
  };
}

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { LoadTopics } from '../../bench/stream/cluster.ts';
import { kafkaClassPath } from '../../test/kafka/jars.ts';

/** What a run wrote, as read by Kafka's own consumer. */
export interface Outputs {
  readonly scored: number;
  readonly rejected: number;
  /** Repeated output records for the same input record. */
  readonly doubled: number;
  /** `partition:offset` of the input record → digest of its score and features, or of its rejection. */
  readonly records: ReadonlyMap<string, string>;
}

/** How long a topic must stay silent before it counts as fully read. */
const QUIET_MS = 20_000;

/** Reads committed scores and dead letters with Java's console consumer, line by line. */
export async function readOutputs(brokers: readonly string[], topics: LoadTopics): Promise<Outputs> {
  const records = new Map<string, string>();
  let doubled = 0;
  const read = async (topic: string, digest: (record: OutputRecord) => string) => {
    let count = 0;
    for await (const record of lines(brokers, topic)) {
      const place = `${record.partition}:${record.offset}`;
      if (records.has(place)) doubled += 1;
      records.set(place, digest(record));
      count += 1;
    }
    return count;
  };
  const scored = await read(topics.scores, ({ id, score, features }) => digestOf({ id, score, features }));
  const rejected = await read(topics.deadLetter, ({ reason }) => digestOf({ reason }));
  return { scored, rejected, doubled, records };
}

interface OutputRecord {
  readonly partition: number;
  readonly offset: number;
  readonly id?: string;
  readonly score?: number;
  readonly features?: unknown;
  readonly reason?: string;
}

function digestOf(value: unknown): string {
  return createHash('md5').update(JSON.stringify(value)).digest('base64');
}

async function* lines(brokers: readonly string[], topic: string): AsyncGenerator<OutputRecord> {
  const args = ['-Xmx256m', '-cp', await kafkaClassPath(), 'org.apache.kafka.tools.consumer.ConsoleConsumer'];
  const options = ['--bootstrap-server', brokers.join(','), '--topic', topic, '--from-beginning'];
  const ends = ['--isolation-level', 'read_committed', '--timeout-ms', String(QUIET_MS)];
  const child = spawn('java', [...args, ...options, ...ends], { stdio: ['ignore', 'pipe', 'ignore'] });
  // The consumer also reports its timeout on stdout.
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith('{')) yield JSON.parse(line) as OutputRecord;
}

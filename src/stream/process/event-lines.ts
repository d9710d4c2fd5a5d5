import { ScoreBatchError, unreadableArgument } from '../../errors.ts';
import type { EventFeatures } from '../../event-features/definition.ts';
import { partitionOf } from '../kafka/partitioner.ts';
import type { LogRecord } from '../log.ts';

/** A line as a Kafka record. */
export interface PlacedRecord {
  readonly partition: number;
  readonly record: LogRecord;
}

interface Lines {
  readonly chunks: AsyncIterable<Buffer>;
  /** Shown in messages. */
  readonly file: string;
  readonly features: EventFeatures;
  /** Partitions over which keys are spread as Kafka does, for lines that do not name one. */
  readonly partitions: number;
  /** Most lines per batch. */
  readonly batchLines: number;
  /** Called for each line that gives Kafka's timestamp. */
  readonly onTimestamp?: () => void;
}

const MAX_LINE_BYTES = 64 * 2 ** 20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\uFEFF';

/** Names of the log columns, if the features declare none. */
export const LOG = { partition: 'kafka_partition', offset: 'kafka_offset', timestamp: 'kafka_timestamp' };

/**
 * Reads one JSON object per line. A line may give its Kafka position in properties named as `log` in the feature file says;
 * otherwise its key chooses the partition, lines are counted per partition, and the event time is the timestamp.
 *
 * @throws ScoreBatchError `usage` if there is no such file, `configuration` if its offsets do not ascend
 */
export async function* readEventLines(lines: Lines): AsyncGenerator<PlacedRecord[]> {
  const { chunks, file, features, partitions, batchLines } = lines;
  const columns = features.log ?? LOG;
  const next = new Map<number, number>();
  let number = 0;
  let batch: PlacedRecord[] = [];
  for await (const value of linesOf(chunks, file)) {
    number += 1;
    if (value.length === 0) continue;
    const given = objectOf(value);
    const keyValue = given?.[features.key];
    const key = keyValue === undefined || keyValue === null ? null : Buffer.from(String(keyValue));
    const partition = wholeOf(given?.[columns.partition]) ?? (key === null ? 0 : partitionOf(key, partitions));
    const expected = next.get(partition) ?? 0;
    const offset = wholeOf(given?.[columns.offset]) ?? expected;
    if (offset < expected) {
      throw new ScoreBatchError(
        'configuration',
        `${file}:${number}: offset ${offset} of partition ${partition} is not above the previous one`,
        {
          hint: `order the lines by partition and ${columns.offset}, or leave that property out`,
        },
      );
    }
    next.set(partition, offset + 1);
    const stamped = wholeOf(given?.[columns.timestamp]);
    if (stamped !== undefined) lines.onTimestamp?.();
    const timestamp = stamped ?? wholeOf(given?.[features.time]) ?? 0;
    batch.push({ partition, record: { offset, timestamp, key, value } });
    if (batch.length < batchLines) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Undefined if the line is not an object, and so has no key. */
function objectOf(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function wholeOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

async function* linesOf(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let size = 0;
  let first = true;
  const whole = (): Buffer => {
    let line = rest.length === 1 ? (rest[0] as Buffer) : Buffer.concat(rest);
    if (line.at(-1) === CARRIAGE_RETURN) line = line.subarray(0, -1);
    if (first && line.subarray(0, 3).toString('utf8') === BYTE_ORDER_MARK) line = line.subarray(3);
    first = false;
    rest = [];
    size = 0;
    return line;
  };
  const keep = (part: Buffer): void => {
    rest.push(part);
    size += part.length;
    if (size > MAX_LINE_BYTES)
      throw new ScoreBatchError('configuration', `${file} has a line of more than 64 MiB`, {
        hint: 'write one event per line',
      });
  };
  try {
    for await (const chunk of chunks) {
      let from = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
        keep(chunk.subarray(from, end));
        from = end + 1;
        yield whole();
      }
      if (from < chunk.length) keep(chunk.subarray(from));
    }
  } catch (cause) {
    throw cause instanceof ScoreBatchError ? cause : unreadableArgument(file, cause, 'check the path after --events');
  }
  if (rest.length > 0) yield whole();
}

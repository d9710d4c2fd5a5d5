import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EventFeatures } from '../../src/event-features/definition.ts';
import {
  flinkInserts,
  flinkSettings,
  flinkViews,
  outputColumns,
  rejectedColumns,
  script,
} from '../../src/event-features/flink/script.ts';
import { createTable, fieldColumns, frontierLag, LOG, ROW_TIME, timeColumns } from '../../src/event-features/flink/tables.ts';
import { quoted } from '../../src/event-features/flink/text.ts';
import type { LoggedEvent } from '../event-features/agreement/generate.ts';
import { runFlink } from './flink.ts';

/**
 * The printed script over files instead of topics: place and timestamp are in the data. Kafka's source has a watermark per partition,
 * and the least of them counts; here it is in the data, too.
 */
function fileScript(features: EventFeatures, input: string, output: string): string {
  const { name } = features;
  const file = (location: string) => ({ connector: 'filesystem', path: `file://${location}`, format: 'json' });
  const columns = [
    ...fieldColumns(features),
    `${quoted(LOG.partition)} INT`,
    `${quoted(LOG.offset)} BIGINT`,
    `${quoted(LOG.timestamp)} BIGINT`,
    '`$maximum_of_all` BIGINT',
    ...timeColumns(features, `TO_TIMESTAMP_LTZ(${quoted(LOG.timestamp)}, 3)`),
    `WATERMARK FOR ${quoted(ROW_TIME)} AS TO_TIMESTAMP_LTZ(\`$maximum_of_all\`, 3) - ${frontierLag(features)}`,
  ];
  return script([
    ...flinkSettings(features, { checkpointMs: 2000 }),
    // The clock's tick after which a new watermark is passed on.
    `SET 'pipeline.auto-watermark-interval' = '10 ms'`,
    `SET 'execution.checkpointing.dir' = 'file://${path.join(output, 'checkpoints')}'`,
    createTable(`${name}_events`, columns, file(input)),
    createTable(`${name}_features`, outputColumns(features), file(path.join(output, 'features'))),
    createTable(`${name}_rejected`, rejectedColumns(features), file(path.join(output, 'rejected'))),
    ...flinkViews(features),
    flinkInserts(features),
  ]);
}

/** Reads the log from a file. @returns bytes of memory */
export async function runOverFiles(features: EventFeatures, log: readonly LoggedEvent[], output: string): Promise<number> {
  await mkdir(output, { recursive: true });
  const [input, sql] = ['log.json', 'job.sql'].map((name) => path.join(output, name));
  await writeLog(log, features, input ?? '');
  await writeFile(sql ?? '', fileScript(features, input ?? '', output));
  return (await runFlink(sql ?? '')).memory;
}

/** One file, in the order of arrival: a second one would be read after the first, or before. */
async function writeLog(log: readonly LoggedEvent[], features: EventFeatures, file: string): Promise<void> {
  await pipeline(Readable.from(lines(log, features)), createWriteStream(file));
}

function* lines(log: readonly LoggedEvent[], { fields, skewMs }: EventFeatures): Generator<string> {
  const maxima = new Map(log.map(({ partition }) => [partition, 0]));
  for (const { partition, offset, timestamp, time, values } of log) {
    if (time <= timestamp + skewMs) maxima.set(partition, Math.max(time, maxima.get(partition) ?? 0));
    const least = Math.min(...maxima.values());
    const record = Object.fromEntries(fields.map(({ name }, i) => [name, values[i]]));
    const place = { [LOG.partition]: partition, [LOG.offset]: offset, [LOG.timestamp]: timestamp };
    yield `${JSON.stringify({ ...record, ...place, $maximum_of_all: least })}\n`;
  }
}

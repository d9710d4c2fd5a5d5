import { appendText } from '../../duckdb/append-text.ts';
import type { Database } from '../../duckdb/database.ts';
import { readRejection, readScore } from './record.ts';
import type { Written } from './written.ts';

/** A half-open range of times, epoch milliseconds. */
export interface TimeRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Loads what the stream wrote for events of the window into the tables `scored` and `rejected` of an in-memory database.
 *
 * @returns how many records were read, of any time
 */
export async function loadWritten(
  database: Database,
  { scores, deadLetter }: { readonly scores: Written; readonly deadLetter: Written | undefined },
  { start, end }: TimeRange,
): Promise<{ readonly scores: number; readonly rejections: number }> {
  const isWithin = (time: number) => time >= start && time < end;
  const read = { scores: 0, rejections: 0 };
  await database.run(`CREATE TEMP TABLE scored_texts (${texts(9)})`);
  await scores.read(async (records) => {
    read.scores += records.length;
    const rows = records.flatMap(({ text, where }) => {
      const score = readScore(text, where);
      if (!isWithin(score.time)) return [];
      const outside = score.idle ? 'idle' : score.capped ? 'capped' : null;
      const place = [String(score.partition), String(score.offset)];
      const millionths = String(Math.round(score.score * 1e6));
      return [
        [score.id, ...place, millionths, score.modelDigest, score.featuresDigest, outside, score.features, String(score.time)],
      ];
    });
    await appendText(database, 'scored_texts', 9, rows);
  });
  await database.run(`CREATE TABLE scored AS SELECT t0 AS id, CAST(t1 AS INTEGER) AS partition, CAST(t2 AS BIGINT) AS position,
    CAST(t3 AS BIGINT) AS millionths, t4 AS model, t5 AS features_digest, t6 AS outside, t7 AS features, CAST(t8 AS BIGINT) AS time FROM scored_texts`);
  await database.run('DROP TABLE scored_texts');
  await database.run(`CREATE TEMP TABLE rejected_texts (${texts(3)})`);
  await deadLetter?.read(async (records) => {
    read.rejections += records.length;
    const rows = records.flatMap(({ text, where }) => {
      const { reason, partition, offset, timestamp, time = timestamp } = readRejection(text, where);
      return isWithin(time) ? [[reason, String(partition), String(offset)]] : [];
    });
    await appendText(database, 'rejected_texts', 3, rows);
  });
  await database.run(`CREATE TABLE rejected AS
    SELECT DISTINCT t0 AS reason, CAST(t1 AS INTEGER) AS partition, CAST(t2 AS BIGINT) AS position FROM rejected_texts`);
  await database.run('DROP TABLE rejected_texts');
  return read;
}

function texts(width: number): string {
  return Array.from({ length: width }, (_, i) => `t${i} VARCHAR`).join(', ');
}

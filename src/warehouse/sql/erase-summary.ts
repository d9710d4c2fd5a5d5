import type { ChangedSegment, PersonRow, Place } from '../../domain/erasure.ts';
import { replacedLayout } from '../../domain/replaced-tables.ts';
import { SCORE_SCALE, type TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { TableReader } from '../reader.ts';
import { inPlace, ofJob } from './person.ts';

const MILLION = 10n ** BigInt(SCORE_SCALE);

/** A person's score in a publication that may have a summary. */
export interface ScoredPerson extends Pick<PersonRow, 'kept'> {
  readonly place: Place;
  readonly band: string;
  /** Millionths. */
  readonly score: number;
}

/**
 * The summary rows that change when a person is removed: those for all users, and for each segment of the person, since the
 * shares of all bands change. A summary has few rows, and its sums are in whole millionths, so the result equals what a
 * publication of the other users would have written with the same bands.
 *
 * @param summary with its full name
 * @returns undefined if the summary does not count the person; empty if the window has none
 */
export async function changedSegments(
  { dialect, rows }: TableReader,
  { summary, replaced, job }: { readonly summary: TableLayout; readonly replaced: boolean; readonly job: string },
  person: ScoredPerson,
): Promise<ChangedSegment[] | undefined> {
  const { place } = person;
  const own = [
    `segment = ${dialect.literal('all')}`,
    ...Object.entries(person.kept).map(
      ([name, value]) => `(segment = ${dialect.literal(name)} AND ${isValue(dialect, value)})`,
    ),
  ];
  const column = (name: string) => summary.columns.find((other) => other.name === name) ?? { name, type: 'string' as const };
  const texts = ['segment', 'segment_value', 'band', 'users', 'expected_churners'].map(
    (name, i) => `${dialect.text(dialect.identifier(name), column(name))} AS text_${i}`,
  );
  const found = await rows(
    `SELECT ${texts.join(', ')} FROM ${dialect.table(summary.name)}
     WHERE ${ofJob(dialect, { layout: summary, replaced, job })}${inPlace(dialect, { replaced }, place)} AND (${own.join(' OR ')})`,
  );
  const counted = found.map(([segment, value, band, users, total]) => {
    const theirs = band === person.band ? 1n : 0n;
    return {
      ...{ summary, replaced, place, segment: String(segment), value: value ?? null, band: String(band) },
      users: BigInt(users ?? 0) - theirs,
      total: BigInt(Math.round(Number(total) * Number(MILLION))) - theirs * BigInt(person.score),
    };
  });
  // A window of another grain has no summary.
  if (counted.length > 0 && !counted.some(({ segment, band }) => segment === 'all' && band === person.band)) {
    return undefined;
  }
  return counted.map((row) => ({
    ...row,
    everybody: counted.reduce((sum, other) => sum + (other.segment === row.segment ? other.users : 0n), 0n),
  }));
}

/** Statements that write the changed rows, and delete one that has no users left. Each ends in a condition. */
export function updateSegments(dialect: Dialect, job: string, segments: readonly ChangedSegment[]): string[] {
  return segments.map(({ summary, replaced, place, segment, value, band, users, total, everybody }) => {
    const where = `${ofJob(dialect, { layout: summary, replaced, job })}${inPlace(dialect, { replaced }, place)}
      AND segment = ${dialect.literal(segment)} AND ${isValue(dialect, value)} AND band = ${dialect.literal(band)}`;
    const table = dialect.table(summary.name);
    if (users === 0n) return `DELETE FROM ${table} WHERE ${where}`;
    const set = {
      users: String(users),
      share: decimal(dialect, summary, 'share', (2n * MILLION * users + everybody) / (2n * everybody)),
      mean_score: decimal(dialect, summary, 'mean_score', (2n * total + users) / (2n * users)),
      expected_churners: decimal(dialect, summary, 'expected_churners', total),
    };
    const pairs = Object.entries(set).map(([name, one]) => `${name} = ${one}`);
    return `UPDATE ${table} SET ${pairs.join(', ')} WHERE ${where}`;
  });
}

function isValue(dialect: Dialect, value: string | null): string {
  return value === null ? 'segment_value IS NULL' : `segment_value = ${dialect.literal(value)}`;
}

function decimal(dialect: Dialect, { columns }: TableLayout, name: string, millionths: bigint): string {
  const column = columns.find((other) => other.name === name);
  const digits = String(millionths).padStart(SCORE_SCALE + 1, '0');
  const text = `${digits.slice(0, -SCORE_SCALE)}.${digits.slice(-SCORE_SCALE)}`;
  return `CAST(${dialect.literal(text)} AS ${dialect.type(column ?? { type: 'decimal', digits: [18, SCORE_SCALE] })})`;
}

/** The summaries of current and of replaced publications, if they exist. */
export async function summariesOf(
  { find }: TableReader,
  summary: TableLayout | undefined,
): Promise<readonly { readonly summary: TableLayout; readonly replaced: boolean }[]> {
  if (summary === undefined) return [];
  const both = [
    { summary: await find(summary), replaced: false },
    { summary: await find(replacedLayout(summary)), replaced: true },
  ];
  return both.flatMap(({ summary: found, replaced }) => (found === undefined ? [] : [{ summary: found, replaced }]));
}

import type { FoundRows, Person, PersonRow, PersonTable } from '../../domain/erasure.ts';
import type { LedgerEntry } from '../../domain/ledger.ts';
import { layoutInPlace } from '../../domain/replaced-tables.ts';
import { isRanked, namesJob, SCORE_SCALE } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { ErasureSpec } from '../erasure.ts';
import type { TableReader } from '../reader.ts';
import { updateSegments } from './erase-summary.ts';
import { insertEntry } from './ledger.ts';
import { isoTime } from './ledger-entry.ts';
import { inPlace, isPerson, ofJob } from './person.ts';

// A person's rows are first found, table by table. Then one transaction removes them, closes the gaps in the ranks, corrects
// the summaries, and appends to the ledger. It only has an effect if the ledger has not changed since the rows were found.

/** Where to look for a person. */
export interface Search {
  readonly person: Person;
  /** Names of kept columns, for the summary. */
  readonly kept: readonly string[];
  readonly scoreColumn: string;
}

/** A person's rows in a table; undefined if it has none or does not exist. */
export async function findPerson(
  { dialect, find, rows }: TableReader,
  table: PersonTable,
  search: Search,
): Promise<FoundRows | undefined> {
  const full = await find(layoutInPlace(table));
  if (full === undefined) return undefined;
  const has = (name: string) => full.columns.find((column) => column.name === name);
  const named = [...placeColumns(table), 'rank', 'band', search.scoreColumn, ...search.kept];
  const columns = named.map(has);
  const texts = columns.map((column) =>
    column === undefined
      ? `CAST(NULL AS ${dialect.type({ type: 'string' })})`
      : dialect.text(dialect.identifier(column.name), column),
  );
  const found = await rows(
    `SELECT ${texts.map((text, i) => `${text} AS text_${i}`).join(', ')} FROM ${dialect.table(full.name)}
     WHERE ${ofJob(dialect, table)}${isPerson(dialect, search.person)}`,
  );
  if (found.length === 0) return undefined;
  return { ...table, name: full.name, rows: found.map((row) => toRow(row, search.kept)) };
}

/**
 * Statements that remove the found rows and append to the ledger.
 *
 * @param spec with full names
 * @param fence condition without which no row changes
 */
export function eraseRows(dialect: Dialect, spec: ErasureSpec, fence?: string): string[] {
  const fenced = (statement: string) => (fence === undefined ? statement : `${statement} AND ${fence}`);
  const { found, person, entry } = spec;
  const append = (one: LedgerEntry) => {
    const statement = insertEntry(dialect, spec.ledger, one);
    return fence === undefined ? statement : `${statement} HAVING ${fence}`;
  };
  return [
    ...found.flatMap((table) => [
      `DELETE FROM ${dialect.table(table.name)} WHERE ${ofJob(dialect, table)}${isPerson(dialect, person)}`,
      ...closeGaps(dialect, table),
    ]),
    ...updateSegments(dialect, entry.job, spec.segments),
  ]
    .map(fenced)
    .concat([...spec.corrections, entry].map(append));
}

/** Expression for the number of the jobs' ledger entries. */
export function countEntries(dialect: Dialect, { ledger, jobs }: Pick<ErasureSpec, 'ledger' | 'jobs'>): string {
  const names = jobs.map((job) => dialect.literal(job));
  return `(SELECT COUNT(*) FROM ${dialect.table(ledger.name)} WHERE job IN (${names.join(', ')}))`;
}

/**
 * How far the highest rank exceeds the number of rows, summed over the publications that lose a row, as text. An erasure does
 * not change it, but one whose statements ran twice does.
 */
export function rankGaps(dialect: Dialect, table: FoundRows): string | undefined {
  if (!isRanked(table.layout)) return undefined;
  const places = table.rows.map((row) => `(${inPlace(dialect, table, row)})`);
  return `SELECT CAST(COALESCE(SUM(gap), 0) AS ${dialect.type({ type: 'string' })}) FROM (SELECT MAX(rank) - COUNT(*) AS gap
    FROM ${dialect.table(table.name)} WHERE ${ofJob(dialect, table)}(${places.join(' OR ')})
    GROUP BY ${placeColumns(table).filter(Boolean).join(', ')}) gaps`;
}

/** Ranks above a removed one move down by one. A publication that lost several rows takes several statements. */
function closeGaps(dialect: Dialect, table: FoundRows): string[] {
  if (!isRanked(table.layout)) return [];
  const publications = new Map<string, PersonRow[]>();
  for (const row of table.rows) {
    const place = inPlace(dialect, table, row);
    publications.set(place, [...(publications.get(place) ?? []), row]);
  }
  // Highest first, so that the others keep their ranks.
  const ranks = [...publications].map(
    ([place, rows]) => [place, rows.map(({ rank = 0 }) => rank).sort((a, b) => b - a)] as const,
  );
  const most = Math.max(...ranks.map(([, list]) => list.length));
  return Array.from({ length: most }, (_, n) => {
    const above = ranks.flatMap(([place, list]) => (list[n] === undefined ? [] : [`(${place} AND rank > ${list[n]})`]));
    return `UPDATE ${dialect.table(table.name)} SET rank = rank - 1
      WHERE ${ofJob(dialect, table)}(${above.join(' OR ')})`;
  });
}

/** The columns that name a row's publication; an empty name stands for one that the table lacks. */
function placeColumns({ layout, replaced }: PersonTable): readonly [string, string, string, string] {
  if (replaced) return ['replaced_window_start', 'replaced_window_end', 'replaced_run_id', 'replaced_publication'];
  return namesJob(layout) ? ['window_start', 'window_end', 'run_id', ''] : ['window_start', '', '', 'publication'];
}

function toRow(
  [start, end, runId, publication, rank, band, score, ...kept]: readonly (string | null)[],
  names: readonly string[],
): PersonRow {
  const number = (text: string | null | undefined) => (text === null || text === undefined ? undefined : Number(text));
  return {
    windowStart: start === null || start === undefined ? '' : (isoTime(start) ?? ''),
    windowEnd: end === null ? undefined : isoTime(String(end)),
    runId: runId ?? undefined,
    publication: number(publication),
    rank: number(rank),
    band: band ?? undefined,
    score: score === null || score === undefined ? undefined : Math.round(Number(score) * 10 ** SCORE_SCALE),
    kept: Object.fromEntries(names.map((name, i) => [name, kept[i] ?? null])),
  };
}

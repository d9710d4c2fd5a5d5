import { asTexts } from '../compare/score-steps.ts';
import { inMillionths, type ScoredRows } from '../compare/scored-rows.ts';
import type { LedgerWindow } from '../domain/ledger.ts';
import type { ShadowComparison } from '../domain/shadow.ts';
import { SCORE_SCALE, type TableLayout } from '../domain/tables.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { instant } from '../warehouse/sql/dialect.ts';
import { inWindows, isWindow } from '../warehouse/sql/windows.ts';

const MILLION = 10 ** SCORE_SCALE;

/** Both sides of a comparison in one warehouse. Tables have their full names. */
export interface ShadowSides {
  readonly job: string;
  /** The batch's window and the digest of its model. */
  readonly window: LedgerWindow;
  readonly digest: string;
  /** Scores published by the batch. */
  readonly batch: ScoredRows;
  /** Name of the score column. */
  readonly score: string;
  readonly scores: TableLayout;
  /** Undefined if the table does not exist. */
  readonly quarantine: TableLayout | undefined;
  readonly ledger: TableLayout;
  readonly boundary: TableLayout;
  /** Job name of the slices, which the boundary's rows carry. */
  readonly slices: string;
  /** All windows of the batch since `incremental.since`; undefined if some are not published. */
  readonly known: readonly LedgerWindow[] | undefined;
  readonly maxDelta: number;
}

type Counts = Pick<
  ShadowComparison,
  | 'keys'
  | 'missing'
  | 'extra'
  | 'quarantined_in_batch'
  | 'quarantined_in_current'
  | 'compared'
  | 'differing'
  | 'largest_delta'
  | 'other_model'
>;

/** Counts in SQL how the rows of a boundary agree with what the batch published. */
export async function countShadow(reader: TableReader, sides: ShadowSides): Promise<Counts> {
  const { dialect, rows } = reader;
  const { present, same, differs, delta } = conditions(dialect, sides);
  const count = (condition: string) => `COALESCE(SUM(CASE WHEN ${condition} THEN 1 ELSE 0 END), 0)`;
  const sums = [
    'COUNT(*)',
    count(`NOT (${present})`),
    count(`${present} AND side_b.millionths IS NULL`),
    count(`${same} AND side_b.millionths IS NOT NULL`),
    count(differs),
    `COALESCE(MAX(CASE WHEN ${same} THEN ${delta} END), 0)`,
    count(`side_b.millionths IS NOT NULL AND NOT (${same})`),
  ];
  const [found = []] = await rows(`SELECT ${asTexts(dialect, sums)} FROM ${pairs(dialect, sides)}`);
  const [keys = 0, missing = 0, quarantined_in_current = 0, compared = 0, differing = 0, largest = 0, other_model = 0] =
    found.map(Number);
  const only = async (from: string | undefined) => {
    if (from === undefined) return 0;
    const [[users] = []] = await rows(`SELECT ${asTexts(dialect, ['COUNT(*)'])} FROM ${from}`);
    return Number(users);
  };
  return {
    ...{ keys, missing, quarantined_in_current, compared, differing, largest_delta: largest / MILLION, other_model },
    quarantined_in_batch: await only(onlyInQuarantine(dialect, sides)),
    extra: sides.known === undefined ? null : await only(unknownUsers(dialect, sides)),
  };
}

/** Statements for people that show the users counted by a comparison; they are not stored. */
export function lookStatements(dialect: Dialect, sides: ShadowSides, counts: Counts): string[] {
  const { present, differs } = conditions(dialect, sides);
  const keys = (side: string) => sides.batch.key.map(({ name }, i) => `${side}.key_${i} AS ${dialect.identifier(name)}`);
  const scores = [`side_a.millionths / ${MILLION} AS in_batch`, `side_b.millionths / ${MILLION} AS in_current`];
  const inBatch = counts.missing + counts.quarantined_in_current + counts.differing > 0;
  const inQuarantine = counts.quarantined_in_batch > 0 ? onlyInQuarantine(dialect, sides) : undefined;
  const unknown = (counts.extra ?? 0) > 0 ? unknownUsers(dialect, sides) : undefined;
  return [
    ...(inBatch
      ? [
          `SELECT ${[...keys('side_a'), ...scores].join(', ')} FROM ${pairs(dialect, sides)} WHERE NOT (${present}) OR side_b.millionths IS NULL OR ${differs}`,
        ]
      : []),
    ...[inQuarantine, unknown].flatMap((from) =>
      from === undefined ? [] : [`SELECT ${keys('side_b').join(', ')} FROM ${from}`],
    ),
  ].map((statement) => statement.replaceAll(/\s+/g, ' '));
}

function conditions(dialect: Dialect, { digest, maxDelta }: ShadowSides) {
  const delta = 'ABS(side_a.millionths - side_b.millionths)';
  const same = `side_b.model_digest = ${dialect.literal(digest)}`;
  // The limit in whole millionths, rounded down, whatever its binary fraction.
  const limit = Math.floor(Number((maxDelta * MILLION).toFixed(6)));
  return { present: 'side_b.key_0 IS NOT NULL', same, delta, differs: `(${same} AND ${delta} > ${limit})` };
}

/** The batch's scores, each with the row of the boundary if there is one. */
function pairs(dialect: Dialect, sides: ShadowSides): string {
  return `(${sides.batch.select}) side_a LEFT JOIN (${boundaryRows(dialect, sides)}) side_b ON ${equalKeys(sides, 'side_a')}`;
}

function boundaryRows(dialect: Dialect, { batch, score, boundary, slices, window }: ShadowSides): string {
  const keys = batch.key.map(({ name }, i) => `${dialect.identifier(name)} AS key_${i}`);
  return `SELECT ${keys.join(', ')}, ${inMillionths(dialect, dialect.identifier(score))} AS millionths, model_digest
    FROM ${dialect.table(boundary.name)}
    WHERE job = ${dialect.literal(slices)} AND boundary = ${instant(dialect, window.end)}`;
}

/** Users whom the batch's model could not score, although the same model scored them in the current table. */
function onlyInQuarantine(dialect: Dialect, sides: ShadowSides): string | undefined {
  const { quarantine, job, window, digest } = sides;
  if (quarantine === undefined) return undefined;
  const own = `job = ${dialect.literal(job)} AND ${isWindow(dialect, quarantine, window)}`;
  return `(${boundaryRows(dialect, sides)}) side_b
    JOIN (SELECT DISTINCT ${keysOf(dialect, sides)} FROM ${dialect.table(quarantine.name)} WHERE ${own}) side_q
      ON ${equalKeys(sides, 'side_q')}
    WHERE side_b.millionths IS NOT NULL AND side_b.model_digest = ${dialect.literal(digest)}`;
}

/** Users of the boundary who are in no window of the batch, neither among its scores nor in quarantine. */
function unknownUsers(dialect: Dialect, sides: ShadowSides): string {
  const { scores, quarantine, ledger, job, known: windows = [] } = sides;
  const of = (table: TableLayout) => `SELECT ${keysOf(dialect, sides)} FROM ${dialect.table(table.name)}
    WHERE ${inWindows(dialect, table, ledger, { job, windows })}`;
  const all = [scores, ...(quarantine === undefined ? [] : [quarantine])].map(of).join(' UNION ALL ');
  const keys = sides.batch.key.map((_, i) => `key_${i}`).join(', ');
  return `(${boundaryRows(dialect, sides)}) side_b LEFT JOIN (SELECT DISTINCT ${keys} FROM (${all}) everybody) side_k
    ON ${equalKeys(sides, 'side_k')} WHERE side_k.key_0 IS NULL`;
}

function keysOf(dialect: Dialect, { batch }: ShadowSides): string {
  return batch.key.map(({ name }, i) => `${dialect.identifier(name)} AS key_${i}`).join(', ');
}

function equalKeys({ batch }: ShadowSides, side: string): string {
  return batch.key.map((_, i) => `${side}.key_${i} = side_b.key_${i}`).join(' AND ');
}

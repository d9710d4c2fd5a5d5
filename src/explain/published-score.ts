import type { LedgerWindow } from '../domain/ledger.ts';
import type { TableColumn, TableLayout } from '../domain/tables.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { instant, keyHash } from '../warehouse/sql/dialect.ts';
import { isoTime } from '../warehouse/sql/ledger-entry.ts';

/** A published score of a user. */
export interface PublishedScore {
  readonly label: string;
  /** ISO instant. */
  readonly windowStart: string;
  readonly runId: string;
  readonly modelName: string;
  readonly modelVersion: string;
  readonly score: string;
  readonly rank: number;
  readonly decile: number;
  readonly band: string;
  /** As published, strongest first. */
  readonly reasons: readonly string[];
}

export interface UserScores {
  /** See `keyHash`; undefined if the window has no score for the user. */
  readonly keyHash: string | undefined;
  /** Newest window first. */
  readonly scores: readonly PublishedScore[];
  /** Why the user is in quarantine in the window; empty otherwise. */
  readonly quarantined: readonly { readonly reason: string; readonly column: string }[];
}

export interface UserQuery {
  readonly job: string;
  readonly window: LedgerWindow;
  readonly runId: string;
  readonly scores: TableLayout;
  readonly quarantine: TableLayout;
  /** Columns of the key, and their values as canonical strings. */
  readonly key: readonly TableColumn[];
  readonly values: readonly string[];
  readonly scoreColumn: string;
}

/** Most windows to show: the user's newest ones up to the requested window. */
const MOST = 12;

/** Reads what is published for a user, in this window and earlier ones. */
export async function readUserScores(reader: TableReader, query: UserQuery): Promise<UserScores> {
  const { dialect } = reader;
  const { window, runId } = query;
  const table = await reader.find(query.scores);
  const quarantine = await reader.find(query.quarantine);
  const scores =
    table === undefined
      ? []
      : await reader.rows(selectScores(dialect, { ...query, scores: { ...query.scores, name: table.name } }));
  const rejected =
    quarantine === undefined
      ? []
      : await reader.rows(
          `SELECT reason, column_name FROM ${dialect.table(quarantine.name)} quarantined
           WHERE ${isUser(dialect, query)} AND run_id = ${dialect.literal(runId)} ORDER BY reason, column_name`,
        );
  const found = scores.map(([hash, ...cells]) => ({ hash: String(hash), score: toScore(cells) }));
  return {
    keyHash: found.find(({ score }) => score.runId === runId && score.windowStart === window.start)?.hash,
    scores: found.map(({ score }) => score),
    quarantined: rejected.map(([reason, column]) => ({ reason: String(reason), column: column ?? '' })),
  };
}

const TRACE = ['window_label', 'window_start', 'run_id', 'model_name', 'model_version'];

function selectScores(dialect: Dialect, query: UserQuery): string {
  const { scores, key, window, scoreColumn } = query;
  const reasons = scores.columns.map(({ name }) => name).filter((name) => /^reason_\d+$/.test(name));
  const named = [...TRACE, scoreColumn, 'rank', 'decile', 'band', ...reasons].map((name) => {
    const column = scores.columns.find((other) => other.name === name);
    if (column === undefined) throw new Error(`the scores table has no column ${name}`);
    return dialect.text(dialect.identifier(name), column);
  });
  const hash = keyHash(
    dialect,
    key.map((column) => ({ ...column, native: '' })),
  );
  const list = [dialect.text(hash, { type: 'integer' }), ...named].map((text, i) => `${text} AS text_${i}`);
  return `SELECT ${list.join(', ')} FROM ${dialect.table(scores.name)} published
    WHERE ${isUser(dialect, query)} AND window_start <= ${instant(dialect, window.start)}
    ORDER BY published.window_start DESC, published.window_end LIMIT ${MOST}`;
}

/** Condition: the row belongs to the user and the job. */
function isUser(dialect: Dialect, { job, key, values }: UserQuery): string {
  const parts = key.map(
    (column, i) => `${dialect.text(dialect.identifier(column.name), column)} = ${dialect.literal(values[i] ?? '')}`,
  );
  return [`job = ${dialect.literal(job)}`, ...parts].join(' AND ');
}

function toScore([label, start, runId, modelName, modelVersion, score, rank, decile, band, ...reasons]: readonly (
  | string
  | null
)[]): PublishedScore {
  return {
    label: String(label),
    windowStart: isoTime(String(start)) ?? '',
    runId: String(runId),
    modelName: String(modelName),
    modelVersion: String(modelVersion),
    score: Number(score).toFixed(6),
    rank: Number(rank),
    decile: Number(decile),
    band: String(band),
    reasons: reasons.flatMap((text) => text ?? []),
  };
}

import type { Reasons } from '../../domain/reasons.ts';
import type { Dialect } from '../dialect.ts';

// Reasons are written to a table of their own before the publication, and joined to the ranked rows by rank.

/** Most bytes per statement. BigQuery allows 1,024,000: https://cloud.google.com/bigquery/quotas#query_jobs */
const MAX_STATEMENT = 400_000;

/** Column definitions of the table of reasons, in parentheses. */
export function reasonColumns(dialect: Dialect, features: number): string {
  const names = reasonNames(features).map((name) => `${name} ${dialect.type({ type: 'string' })}`);
  return `(${[`reason_rank ${dialect.type({ type: 'integer' })}`, ...names].join(', ')})`;
}

/** Statements that fill the table; none if no user has a reason. @param table full name as in SQL */
export function insertReasons(dialect: Dialect, table: string, { features, rows }: Reasons): string[] {
  const head = `INSERT INTO ${table} (${['reason_rank', ...reasonNames(features)].join(', ')}) VALUES `;
  const empty = `CAST(NULL AS ${dialect.type({ type: 'string' })})`;
  const statements: string[] = [];
  let values: string[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (values.length > 0) statements.push(head + values.join(', '));
    [values, bytes] = [[], 0];
  };
  for (const [i, texts] of rows.entries()) {
    if (texts.every((text) => text === null)) continue;
    const cells = Array.from({ length: features }, (_, at) => texts[at] ?? null);
    const value = `(${i + 1}, ${cells.map((text) => (text === null ? empty : dialect.literal(text))).join(', ')})`;
    const size = Buffer.byteLength(value) + 2;
    if (bytes + size > MAX_STATEMENT) flush();
    values.push(value);
    bytes += size;
  }
  flush();
  return statements;
}

/** Number of users with a reason: rows that the table must have. */
export function explainedUsers({ rows }: Reasons): number {
  return rows.filter((texts) => texts.some((text) => text !== null)).length;
}

/** FROM clause of ranked rows with their reasons. @param table full name of the table of reasons; undefined if there is none */
export function withReasons(dialect: Dialect, ranked: string, features: number, table: string | undefined): string {
  if (table !== undefined) return `(SELECT * FROM ${ranked} LEFT JOIN ${table} reasons ON rank = reason_rank) explained`;
  const empty = `CAST(NULL AS ${dialect.type({ type: 'string' })})`;
  return `(SELECT *, ${reasonNames(features)
    .map((name) => `${empty} AS ${name}`)
    .join(', ')} FROM ${ranked}) explained`;
}

function reasonNames(features: number): string[] {
  return Array.from({ length: features }, (_, i) => `reason_${i + 1}`);
}

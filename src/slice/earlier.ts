import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Column } from '../domain/schema.ts';
import { SKIP_KEY } from '../domain/staged-columns.ts';
import { SCORE_SCALE, type TableLayout } from '../domain/tables.ts';
import { appendText } from '../duckdb/append-text.ts';
import { openDatabase } from '../duckdb/database.ts';
import { literal } from '../duckdb/sql.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { keyHash } from '../warehouse/sql/dialect.ts';

export interface EarlierSpec {
  /** See `currentLayout`. */
  readonly current: TableLayout;
  readonly key: readonly Column[];
  readonly scoreColumn: string;
  /** Only scores of this model are wanted. */
  readonly digest: string;
  /**
   * FROM clause, without alias, with the keys whose scores are wanted, under the key columns' names, in the database of the
   * current table. By default all keys.
   */
  readonly only?: string | undefined;
  /** Whether the current table is in a DuckDB file, which then writes the scores itself; false by default. */
  readonly embedded?: boolean;
  /** Local folder to write to. */
  readonly folder: string;
  /** Bytes of DuckDB's buffers. */
  readonly memory: number;
  /** Approximate number of rows to hold at a time. */
  readonly pageRows?: number;
}

const PAGE_ROWS = 200_000;

/** `Dialect.hash` yields 60 bits. */
const HASHES = 2n ** 60n;

/** Columns of the file, with DuckDB's types. */
const COLUMNS = [
  ['key_hash', 'BIGINT'],
  [SKIP_KEY, 'BIGINT'],
  ['score', `DECIMAL(7, ${SCORE_SCALE})`],
] as const;

const NAMES = COLUMNS.map(([name]) => name);

/**
 * Writes the scores of a model in the current table to a file for chunk workers; see `SliceSetup`. Rows from a remote warehouse
 * are read in ranges of the key's hash. A slice published meanwhile does no harm: a score belongs to its skip key and its
 * model, whichever slice computed it.
 *
 * @returns path of the file; undefined if there is no such score
 */
export async function writeEarlier(reader: TableReader, spec: EarlierSpec): Promise<string | undefined> {
  const found = await reader.find(spec.current);
  if (found === undefined) return undefined;
  const { dialect } = reader;
  const from = `${dialect.table(found.name)} earlier WHERE ${isWanted(dialect, spec)}`;
  const file = path.join(spec.folder, `earlier-${randomBytes(8).toString('hex')}.parquet`);
  const rows = spec.embedded ? await copyRows(reader, from, spec, file) : await writePages(reader, from, spec, file);
  if (rows > 0) return file;
  await rm(file, { force: true });
  return undefined;
}

/** @param from FROM clause with its condition @returns number of rows */
type Write = (reader: TableReader, from: string, spec: EarlierSpec, file: string) => Promise<number>;

const writePages: Write = async (reader, from, spec, file) => {
  const { dialect } = reader;
  const [counted] = await reader.rows(`SELECT ${dialect.text('COUNT(*)', { type: 'integer' })} AS row_count FROM ${from}`);
  const rows = Number(counted?.[0] ?? 0);
  if (rows === 0) return 0;
  const pages = Math.ceil(rows / (spec.pageRows ?? PAGE_ROWS));
  await using database = await openDatabase(':memory:', { threads: 1, memory: spec.memory, temporary: spec.folder });
  await database.run(`CREATE TEMP TABLE earlier (${NAMES.map((name) => `${name} VARCHAR`).join(', ')})`);
  const texts = columnsOf(dialect, spec).map((text, i) => `${text} AS text_${i}`);
  for (let page = 0; page < pages; page += 1) {
    const some = await reader.rows(`SELECT ${texts.join(', ')} FROM ${from}${inPage(dialect, spec.key, page, pages)}`);
    await appendText(database, 'earlier', NAMES.length, some);
  }
  await database.run(copyTo(NAMES, 'earlier', file));
  return rows;
};

const copyRows: Write = async (reader, from, spec, file) => {
  const [copied] = await reader.rows(copyTo(columnsOf(reader.dialect, spec), from, file));
  return Number(copied?.[0]);
};

/** DuckDB statement that writes the file. @param texts expressions, in the order of `COLUMNS` */
function copyTo(texts: readonly string[], from: string, file: string): string {
  const list = COLUMNS.map(([name, type], i) => `CAST(${texts[i]} AS ${type}) AS ${name}`);
  return `COPY (SELECT ${list.join(', ')} FROM ${from}) TO ${literal(file)} (FORMAT parquet)`;
}

/** Condition: a live row with a score of the model. */
function isWanted(dialect: Dialect, { key, scoreColumn, digest, only }: EarlierSpec): string {
  const column = (name: string) => `earlier.${dialect.identifier(name)}`;
  const isSame = key.map(
    (part) => `${dialect.text(`wanted.${dialect.identifier(part.name)}`, part)} = ${dialect.text(column(part.name), part)}`,
  );
  return [
    `${column('model_digest')} = ${dialect.literal(digest)}`,
    `NOT ${column('deleted')}`,
    ...[scoreColumn, 'skip_key'].map((name) => `${column(name)} IS NOT NULL`),
    ...(only === undefined ? [] : [`EXISTS (SELECT 1 FROM ${only} wanted WHERE ${isSame.join(' AND ')})`]),
  ].join(' AND ');
}

/** Text expressions for `COLUMNS`. */
function columnsOf(dialect: Dialect, { key, scoreColumn }: EarlierSpec): string[] {
  return [
    dialect.text(keyHash(dialect, key), { type: 'integer' }),
    dialect.text(dialect.identifier('skip_key'), { type: 'integer' }),
    dialect.text(dialect.identifier(scoreColumn), { type: 'decimal', digits: [7, SCORE_SCALE] }),
  ];
}

function inPage(dialect: Dialect, key: readonly Column[], page: number, pages: number): string {
  if (pages === 1) return '';
  const hash = keyHash(dialect, key);
  const bound = (at: number) => (HASHES * BigInt(at)) / BigInt(pages);
  return ` AND ${hash} >= ${bound(page)} AND ${hash} < ${bound(page + 1)}`;
}

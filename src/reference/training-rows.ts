import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { ColumnBatch, ReadKind } from '../domain/column-batch.ts';
import { type Column, findColumn, type Schema } from '../domain/schema.ts';
import { featuresOf, type Signature } from '../domain/signature.ts';
import { PHYSICAL_TYPE, readBatches } from '../duckdb/batches.ts';
import { type Database, openDatabase } from '../duckdb/database.ts';
import { duckdbError, firstLines } from '../duckdb/errors.ts';
import { identifier, literal } from '../duckdb/sql.ts';
import { toColumn } from '../duckdb/types.ts';
import { ScoreBatchError } from '../errors.ts';
import { createEncoder } from '../features/encoder.ts';
import { featureColumns } from '../model/query-check.ts';

/** Bytes that DuckDB may use before it spills. */
const MEMORY = 512 * 2 ** 20;

/** The source of training rows. */
export type TrainingSource =
  | { readonly csv: string }
  | {
      readonly query: string;
      /** Absolute path of a DuckDB file, opened for reading only. */
      readonly file: string;
      /** Feature → column, for names that differ. */
      readonly renames: Readonly<Record<string, string>>;
    };

interface TrainingOptions {
  readonly source: TrainingSource;
  /** Columns with the expected scores, or with the expected probabilities of each class. */
  readonly expected: readonly string[];
  readonly signal: AbortSignal;
}

export interface TrainingRows extends AsyncDisposable {
  /** Columns that feed the features, in the order of `featuresOf`. */
  readonly columns: readonly Column[];
  /** Batches of at most 2048 rows: the features, then the expected scores. */
  batches(): AsyncIterable<ColumnBatch>;
}

/** Name of the source in messages. */
export function sourceName(source: TrainingSource): string {
  return 'csv' in source ? source.csv : 'the query';
}

/**
 * Opens training rows for reading. Writes nothing.
 *
 * @throws ScoreBatchError `configuration` if the source cannot be read or lacks a column
 */
export async function openTrainingRows(
  signature: Signature,
  { source, expected, signal }: TrainingOptions,
): Promise<TrainingRows> {
  const file = 'csv' in source ? source.csv : source.file;
  if (!existsSync(file)) {
    throw new ScoreBatchError('configuration', `${file} does not exist`, { hint: 'check the path' });
  }
  const translated = async <T>(work: () => Promise<T>): Promise<T> =>
    await work().catch((error: unknown) => {
      throw sourceError(error, sourceName(source), file);
    });
  const database = await translated(() =>
    openDatabase('csv' in source ? ':memory:' : file, {
      readOnly: !('csv' in source),
      memory: MEMORY,
      temporary: tmpdir(),
      signal,
    }),
  );
  try {
    const relation = 'csv' in source ? csvScan(source.csv) : `(${source.query}\n)`;
    const schema = await translated(() => describe(database, relation));
    const columns =
      'csv' in source ? csvColumns(signature, schema, source.csv) : featureColumns(signature, schema, source.renames);
    const { kinds } = createEncoder(signature, columns, 1);
    const cells = columns.map((column, i) => castTo(column, kinds[i] ?? 'string', 'csv' in source));
    for (const name of expected) cells.push(castTo(expectedColumn(schema, name, source), 'float64', 'csv' in source));
    const sql = `SELECT ${cells.join(', ')} FROM ${relation} AS training`;
    return {
      columns,
      async *batches() {
        const rows = readBatches(database, sql)[Symbol.asyncIterator]();
        for (;;) {
          const next = await translated(() => rows.next());
          if (next.done === true) return;
          yield next.value;
        }
      },
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    };
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Reads everything as text, because the model's description determines the types, not the first rows of the file. As in
 * golden.csv, `""` is an empty string.
 */
function csvScan(file: string): string {
  return `read_csv(${literal(file)}, header = true, all_varchar = true, allow_quoted_nulls = false)`;
}

async function describe(database: Database, relation: string): Promise<Schema> {
  const rows = await database.rows(`DESCRIBE SELECT * FROM ${relation} AS training`);
  return rows.map(([name, type]) => toColumn(String(name), String(type)));
}

function csvColumns(signature: Signature, schema: Schema, file: string): Column[] {
  const features = featuresOf(signature).map(({ feature }) => feature.name);
  const columns = features.map((name) => findColumn(schema, name));
  const missing = features.filter((_, i) => columns[i] === undefined);
  if (missing.length > 0) {
    throw new ScoreBatchError('configuration', `${file} has no column ${missing.join(', ')}`, {
      hint: 'rename the columns to the features in model.yaml; `score-batch model inspect FOLDER` prints them',
    });
  }
  return columns.flatMap((column) => column ?? []);
}

function expectedColumn(schema: Schema, name: string, source: TrainingSource): Column {
  const column = findColumn(schema, name);
  if (column !== undefined) return column;
  throw new ScoreBatchError('configuration', `${sourceName(source)} has no column ${name}`, {
    hint: '--expected names the column with the scores from Python',
  });
}

function castTo({ name }: Column, kind: ReadKind, text: boolean): string {
  const column = identifier(name);
  if (!text || kind === 'string') return `CAST(${column} AS ${PHYSICAL_TYPE[kind]})`;
  const cell = `NULLIF(${column}, '')`;
  if (kind === 'bool') return `CAST(CAST(${cell} AS BOOLEAN) AS ${PHYSICAL_TYPE.bool})`;
  if (kind !== 'int64') return `CAST(${cell} AS ${PHYSICAL_TYPE[kind]})`;
  // A cast would round fractions. Pandas writes the integers of a column with nulls as `3.0`.
  const whole = `regexp_extract(${cell}, '^(-?[0-9]+)(\\.0*)?$', 1)`;
  return `CAST(CASE WHEN ${cell} IS NULL THEN NULL ELSE ${whole} END AS BIGINT)`;
}

/** Blames the user's file or query for the errors that it can cause. */
function sourceError(error: unknown, name: string, file: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ScoreBatchError) return error;
  if (/Conversion Error/.test(message)) {
    return new ScoreBatchError('configuration', `${name} has a value of the wrong type for the model`, {
      details: [firstLines(message)],
      hint: 'look for text in a numeric column, or change the dtype of the feature in model.yaml',
      cause: error,
    });
  }
  if (/(Parser|Binder|Catalog|Invalid Input|Out of Range|Not implemented|Invalid type|Mismatch Type) Error/.test(message)) {
    return new ScoreBatchError('configuration', `DuckDB cannot read ${name}`, {
      details: [firstLines(message)],
      hint: 'try to read it in a DuckDB shell',
      cause: error,
    });
  }
  return duckdbError(error, file);
}

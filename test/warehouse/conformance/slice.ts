import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { Bands } from '../../../src/domain/bands.ts';
import { boundaryLayout, currentLayout } from '../../../src/domain/current-table.ts';
import type { LedgerEntry, LedgerWindow } from '../../../src/domain/ledger.ts';
import { currentPublication } from '../../../src/domain/ledger.ts';
import type { Column } from '../../../src/domain/schema.ts';
import { incrementalJob } from '../../../src/domain/slice.ts';
import { isStagedAsText, SKIP_KEY, stagedKeep, stagedKey } from '../../../src/domain/staged-columns.ts';
import { suffixed } from '../../../src/domain/table-name.ts';
import { type TableLayout, type Tables, tablesOf } from '../../../src/domain/tables.ts';
import { canonicalText } from '../../../src/duckdb/canonical-text.ts';
import { identifier, literal } from '../../../src/duckdb/sql.ts';
import type { CurrentChange, PublicationSpec } from '../../../src/warehouse/publication-spec.ts';
import type { TextRow } from '../../../src/warehouse/reader.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { freeze, named, plain, withWorker } from './frozen.ts';
import { attemptOf, entryOf, MODEL } from './run.ts';
import { JOB, type OpenSubject } from './subject.ts';

// Slices of a job, without the flow that plans them: rows are given, staged, and published into the current table.

const CURRENT = ['marketing', 'current'];

const WINDOW: LedgerWindow = {
  label: 'current',
  start: '2026-01-01T00:00:00.000Z',
  end: '9999-12-31T00:00:00.000Z',
  kind: 'ad hoc',
};

const SLICE_BANDS: Bands = { by: 'threshold', bounds: [{ name: 'high', bound: 500_000 }], rest: 'low' };

const FACTS = JSON.stringify({ scorer: { score_batch: '1', onnxruntime: '1', provider: 'cpu', processor: 'x64' } });

/** A row of a slice: a score in thousandths with the hash of its features, or a reason. */
export interface SliceRow {
  /** Expressions of the warehouse, one per column of the key. */
  readonly key: readonly string[];
  readonly country?: string;
  readonly score?: number;
  readonly features?: number;
  readonly reason?: string;
}

export interface SliceSettings extends Partial<Omit<CurrentChange, 'boundary'>> {
  /** Names of the key's columns; `user_id` by default. */
  readonly key?: readonly string[];
  readonly model?: LedgerEntry['model'];
  readonly boundary?: string;
}

export interface Slice {
  readonly warehouse: Warehouse;
  readonly runId: string;
  readonly tables: Tables;
  readonly key: readonly Column[];
  readonly table: TableLayout;
  readonly boundary: TableLayout;
  readonly spec: PublicationSpec;
  publish(meanwhile?: () => Promise<void>): Promise<boolean>;
  /** The rows of the current table by their keys, every value as canonical text. */
  rows(): Promise<Record<string, Readonly<Record<string, string | null>>>>;
}

/** The instant of a slice: an hour per number. */
export function hour(number: number): string {
  return `2026-11-16T${String(number).padStart(2, '0')}:00:00.123456Z`;
}

/** Stages a slice, to be published after what is published now. @param number of the slice, for its instant and its run id, or that id */
export async function startSlice(
  { warehouse, integerType, stringType, literal: quote }: OpenSubject,
  number: number | 'run',
  rows: readonly SliceRow[],
  settings: SliceSettings = {},
): Promise<Slice> {
  const {
    key: names = ['user_id'],
    model = MODEL,
    whole = false,
    gone = [],
    asOf = hour(number === 'run' ? 0 : number),
  } = settings;
  const { sink } = warehouse;
  const runId = number === 'run' ? number : `slice${number}`;
  const text = (value: string | undefined) => `cast(${value === undefined ? 'null' : quote(value)} as ${stringType})`;
  const integer = (value: number | undefined) => `cast(${value ?? 'null'} as ${integerType})`;
  const select = ({ key, country, score, features, reason }: SliceRow) =>
    [
      `select ${key.map((value, i) => `${value} as ${names[i]}`).join(', ')}, ${text(country)} as country`,
      `${integer(score)} as thousandths, ${integer(features)} as features, ${text(reason)} as refusal`,
    ].join(', ');
  const query =
    rows.length === 0
      ? `select * from (${select({ key: names.map(() => integer(0)) })}) nobody where thousandths is not null`
      : rows.map(select).join(' union all ');
  const frozen = await freeze(warehouse, runId, plain(query), { key: names });
  const [key, keep] = [named(frozen.columns, names), named(frozen.columns, ['country'])];
  const columns = { key, keep, scoreColumn: 'score' };
  const tables: Tables = {
    ...tablesOf(
      {
        scores: CURRENT,
        quarantine: suffixed(CURRENT, '_quarantine'),
        ledger: ['marketing', 'score_batch_ledger'],
        report: undefined,
        summary: undefined,
      },
      columns,
    ),
    scores: currentLayout(CURRENT, columns),
  };
  const staged = (expression: string, column: Column) =>
    sink.stagesText && isStagedAsText(column) ? canonicalText(expression, column) : expression;
  const scoredAt = staged(`timestamptz '${asOf}'`, { name: 'scored_at', type: 'timestamp', native: '' });
  for (const { chunk, rows: count } of frozen.chunks) {
    const attempt = attemptOf(frozen.id, 'aaaa');
    const folder = await sink.workFolder(runId);
    const file = path.join(folder, `chunk-${chunk}-${attempt}.parquet`);
    await mkdir(folder, { recursive: true });
    await withWorker(async (database) => {
      await warehouse.source.loadChunk(frozen, chunk, database);
      await database.run(`copy (
        select ${key.map((column, i) => `${staged(identifier(column.name), column)} as ${stagedKey(i)}`).join(', ')},
          ${keep.map((column, i) => `${staged(identifier(column.name), column)} as ${stagedKeep(i)}`).join(', ')},
          case when refusal is null then cast(thousandths / 1000.0 as decimal(7, 6)) end as score, refusal as reason,
          case when refusal is not null then 'a' end as column_name, cast(null as varchar) as value,
          cast(${chunk} as integer) as chunk, ${literal(attempt)} as attempt, 'cpu' as provider, ${literal(FACTS)} as facts,
          ${scoredAt} as scored_at, case when refusal is null then cast(features as bigint) end as ${SKIP_KEY}
        from chunk) to ${literal(file)} (format parquet)`);
    });
    const seconds = { read: 0, encode: 0, score: 0, write: 0 };
    await sink.stage(runId, { chunk, attempt, file, rows: count, provider: 'cpu', seconds });
  }
  const boundary = boundaryLayout(CURRENT, columns);
  const job = incrementalJob(JOB);
  const { pinned, rejections } = await sink.tally({ runId, frozen, key, keep, scorer: undefined, scoreEdges: undefined });
  const scored = pinned.reduce((sum, attempt) => sum + attempt.scored, 0);
  const quarantined = rejections.reduce((sum, rejection) => sum + rejection.rows, 0);
  const published = currentPublication(await warehouse.ledger(tables.ledger).entries({ job, window: WINDOW }));
  const spec: PublicationSpec = {
    entry: { ...entryOf(runId, WINDOW), job, model, state: 'published', rows: { frozen: frozen.rows, scored, quarantined } },
    supersedes: published,
    overlaps: [],
    sharedTables: false,
    pinned,
    tables,
    key,
    keep,
    bands: SLICE_BANDS,
    segments: [],
    reported: false,
    scored,
    history: 0,
    current: {
      whole,
      gone,
      asOf,
      boundary: settings.boundary === undefined ? undefined : { table: boundary, end: settings.boundary },
    },
  };
  return {
    ...{ warehouse, runId, tables, key, table: tables.scores, boundary, spec },
    async publish(meanwhile) {
      await meanwhile?.();
      return await sink.publish(spec);
    },
    async rows() {
      const found = await textsOf(warehouse, tables.scores);
      const byKey = found.map((row) => [
        row.slice(0, key.length).join(' '),
        Object.fromEntries(tables.scores.columns.map(({ name }, i) => [name, row[i] ?? null])),
      ]);
      // Nobody is lost under the key of another row.
      expect(new Set(byKey.map(([name]) => name)).size).toBe(found.length);
      return Object.fromEntries(byKey);
    },
  };
}

export async function publishSlice(...slice: Parameters<typeof startSlice>): Promise<Slice> {
  const started = await startSlice(...slice);
  await started.publish();
  return started;
}

/** The rows of a table as canonical texts, in the order of their texts. */
export async function textsOf({ sink }: Warehouse, layout: TableLayout): Promise<TextRow[]> {
  return await sink.read(async ({ dialect, find, rows }) => {
    const table = await find(layout);
    if (table === undefined) return [];
    const list = layout.columns.map((column, i) => {
      const text = dialect.text(dialect.identifier(column.name), column);
      return `${column.type === 'bool' ? `LOWER(${text})` : text} AS c${i}`;
    });
    const found = await rows(`SELECT ${list.join(', ')} FROM ${dialect.table(table.name)} present`);
    return [...found].sort((a, b) => (a.join('|') < b.join('|') ? -1 : 1));
  });
}

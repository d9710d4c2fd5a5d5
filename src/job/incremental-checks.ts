import { RESERVED_IN_CURRENT } from '../domain/current-table.ts';
import { parseTableName, sibling, suffixed, type TableName } from '../domain/table-name.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import type { Problem } from '../yaml/checked.ts';
import type { JobDefinition } from './schema.ts';

/** Checks of `incremental` against the rest of the job. */
export function incrementalChecks(job: JobDefinition): Problem[] {
  const { incremental } = job;
  if (incremental === undefined) return [];
  return [
    ...thresholds(job, incremental),
    ...namesFree(job, incremental),
    ...keysFit(job, incremental),
    ...sourcesFit(job, incremental),
    ...tablesApart(job, incremental),
  ];
}

type Incremental = NonNullable<JobDefinition['incremental']>;

function thresholds({ score }: JobDefinition, { bands }: Incremental): Problem[] {
  if (bands !== undefined || score.bands.by === 'threshold') return [];
  return [
    {
      path: ['incremental', 'bands'],
      message: 'score.bands are shares, which need ranks, and the current table has none: set thresholds like { high: 0.9 }',
    },
  ];
}

function namesFree({ source, sink, score }: JobDefinition, { shadow }: Incremental): Problem[] {
  const own = [
    ...source.key.map((name, i) => ({ path: ['source', 'key', i], name })),
    ...sink.keep.map((name, i) => ({ path: ['sink', 'keep', i], name })),
    { path: ['score', 'column'], name: score.column },
  ];
  const reserved = [...RESERVED_IN_CURRENT, ...(shadow === undefined ? [] : ['origin'])];
  return own
    .filter(({ name }) => reserved.includes(name.toLowerCase()))
    .map(({ path, name }) => ({
      path,
      message: `${name} is a column of the current table or of its view: rename it in the query`,
    }));
}

function keysFit({ source }: JobDefinition, { changes }: Incremental): Problem[] {
  return changes.flatMap(({ key }, i) =>
    key === undefined || key.length === source.key.length
      ? []
      : [{ path: ['incremental', 'changes', i, 'key'], message: `name ${source.key.length} columns, as source.key has` }],
  );
}

/** A table's name as it can be pasted into a query: parts separated by dots, quoted or not. */
const TABLE = /^(?:[\w$-]+|"(?:[^"]|"")+"|`[^`]+`)(?:\.(?:[\w$-]+|"(?:[^"]|"")+"|`[^`]+`))*$/;

function sourcesFit({ source }: JobDefinition, { changes }: Incremental): Problem[] {
  const kind = warehouseKind(source.warehouse);
  return changes.flatMap(({ table, history, watermark, time_zone }, i) => {
    const path = ['incremental', 'changes', i];
    return [
      ...(TABLE.test(table)
        ? []
        : [{ path: [...path, 'table'], message: 'write the name of one table or view, as in the query' }]),
      ...(history !== undefined && kind === 'duckdb'
        ? [{ path: [...path, 'history'], message: 'DuckDB keeps no history of changes: name a watermark' }]
        : []),
      ...(time_zone !== undefined && watermark === undefined
        ? [{ path: [...path, 'time_zone'], message: 'only a watermark can need a time zone' }]
        : []),
    ];
  });
}

function tablesApart({ sink, report }: JobDefinition, { table, shadow }: Incremental): Problem[] {
  const scores = parseTableName(sink.table) ?? [];
  const current = parseTableName(table) ?? [];
  const taken: readonly (readonly [string, TableName])[] = [
    ['sink.table', scores],
    ['the quarantine table', suffixed(scores, '_quarantine')],
    ['the ledger', sibling(scores, 'score_batch_ledger')],
    ...(['table', 'summary_table', 'drift_table'] as const).flatMap((name) => {
      const of = report[name];
      return of === undefined ? [] : [[`report.${name}`, parseTableName(of) ?? []] as const];
    }),
  ];
  const own: readonly (readonly [readonly string[], TableName])[] = [
    [['incremental', 'table'], current],
    ...(shadow === undefined ? [] : [[['incremental', 'shadow', 'view'], parseTableName(shadow.view) ?? []] as const]),
  ];
  const problems = own.flatMap(([path, name]) =>
    taken
      .filter(([, other]) => isSame(name, other))
      .map(([what]): Problem => ({ path: [...path], message: `it would be the table of ${what}` })),
  );
  const view = parseTableName(shadow?.view ?? '') ?? [];
  if (isSame(view, current) || isSame(view, suffixed(current, '_boundary')))
    problems.push({
      path: ['incremental', 'shadow', 'view'],
      message: 'it would be the current table or its boundary table',
    });
  if (JSON.stringify(current.slice(0, -1)) !== JSON.stringify(scores.slice(0, -1)))
    problems.push({ path: ['incremental', 'table'], message: 'it must be in the schema of sink.table, beside the ledger' });
  return problems;
}

function isSame(name: TableName, other: TableName): boolean {
  return JSON.stringify(name).toLowerCase() === JSON.stringify(other).toLowerCase();
}

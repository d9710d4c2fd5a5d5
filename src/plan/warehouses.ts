import path from 'node:path';
import type { Context } from '../context.ts';
import { parseTableName, sibling, suffixed, type TableName } from '../domain/table-name.ts';
import { ledgerLayout, type TableNames } from '../domain/tables.ts';
import { type WarehouseKind, warehouseKind } from '../domain/warehouse-kind.ts';
import type { Job } from '../job/load.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Reserved } from '../report/reserved.ts';
import { readMachine } from '../sizing/machine.ts';
import { machineBound, mainDatabase, requestedBound, reserveOf } from '../sizing/memory-plan.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { openStores } from '../store/open.ts';
import { openWarehouse } from '../warehouse/open.ts';
import type { Ledger, Sink, Source, Warehouse, WarehouseAccess } from '../warehouse/warehouse.ts';

/** One value for the source and one for the sink. */
interface Ends<T> {
  readonly source: T;
  readonly sink: T;
}

/** A job's source, sink and ledger, and everything else that a command needs of their warehouses. */
export interface Warehouses {
  readonly source: Source;
  readonly sink: Sink;
  /** The ledger beside the scores table. */
  readonly ledger: Ledger;
  readonly kinds: Ends<WarehouseKind>;
  /** Local files and folders of the warehouses; empty for remote ones. */
  readonly files: Ends<readonly string[]>;
  /** The object stores in which report files may be. */
  readonly stores: ObjectStore;
  /** Lets a worker thread open the source itself. */
  readonly sourceAccess: WarehouseAccess;
  /** @throws ScoreBatchError if the sink's warehouse does not exist */
  reachSink(): Promise<void>;
  /**
   * Opens each DuckDB file once for several reads, until disposed. Does nothing if source and sink are of different kinds:
   * waiting for the other warehouse would block other processes from the file for too long.
   */
  readTogether(): AsyncDisposable;
}

/** Opens a job's source and sink, without connecting yet. They close at the end of the command. */
export async function openWarehouses({ definition, root }: Job, context: Context): Promise<Warehouses> {
  const { cores, memory } = readMachine();
  const bound = requestedBound(context.maxMemory, definition.score.max_memory) ?? machineBound(memory);
  const sourceUrl = definition.source.warehouse;
  const sinkUrl = definition.sink.warehouse ?? sourceUrl;
  const local = [sourceUrl, sinkUrl].every((url) => warehouseKind(url) === 'duckdb');
  const shared = {
    root,
    job: definition.name,
    memory: mainDatabase(bound, { local, cores }),
    reserve: reserveOf(bound, local),
  };
  const open = opener(context);
  const { scratch, max_bytes: maxBytes, unload } = definition.source;
  const sourceAccess = { ...shared, url: sourceUrl, scratch, maxBytes, unload };
  const source = await open(sourceAccess);
  const sink = await open({ ...shared, url: sinkUrl, scratch: definition.sink.scratch, maxBytes: undefined });
  return {
    source: source.source,
    sink: sink.sink,
    ledger: sink.ledger(ledgerLayout(tableNames(definition).ledger)),
    kinds: { source: source.kind, sink: sink.kind },
    files: { source: source.files ?? [], sink: sink.files ?? [] },
    stores: openStores(context.environment, context.signal),
    sourceAccess,
    reachSink: () => sink.reach(),
    readTogether: () => readTogether(source, sink),
  };
}

/** Source and sink may give the same warning: show it once. */
function opener(context: Context): (access: WarehouseAccess) => Promise<Warehouse> {
  const { environment, signal } = context;
  const warned = new Set<string>();
  const warn = (message: string): void => {
    if (!warned.has(message)) context.console.warn(message);
    warned.add(message);
  };
  return async (access) => {
    const warehouse = await openWarehouse({ ...access, environment, signal, warn, working: context.console.live.working });
    context.atEnd(() => warehouse.close());
    return warehouse;
  };
}

function readTogether(source: Warehouse, sink: Warehouse): AsyncDisposable {
  const readings = source.kind === sink.kind ? [source.readTogether?.(), sink.readTogether?.()] : [];
  return {
    async [Symbol.asyncDispose]() {
      for (const reading of readings) await reading?.[Symbol.asyncDispose]();
    },
  };
}

/** Names of a job's tables. Quarantine and ledger are in the schema of the scores table. */
export function tableNames({ sink, report, labels }: JobDefinition): TableNames {
  const scores = nameOf(sink.table);
  return {
    scores,
    quarantine: suffixed(scores, '_quarantine'),
    ledger: sibling(scores, 'score_batch_ledger'),
    report: report.table === undefined ? undefined : nameOf(report.table),
    summary: report.summary_table === undefined ? undefined : nameOf(report.summary_table),
    drift: report.drift_table === undefined ? undefined : nameOf(report.drift_table),
    ...(labels && { evaluation: labels.table === undefined ? suffixed(scores, '_evaluation') : nameOf(labels.table) }),
  };
}

/** The table of the challenger's scores: `sink.table` with `_challenger` appended, unless the job names another; undefined if it has none. */
export function challengerTable({ sink, challenger }: JobDefinition): TableName | undefined {
  if (challenger === undefined) return undefined;
  return challenger.table === undefined ? suffixed(nameOf(sink.table), '_challenger') : nameOf(challenger.table);
}

function nameOf(text: string): TableName {
  const name = parseTableName(text);
  if (name === undefined) throw new Error(`${text} passed the job file's check but is not a table name`);
  return name;
}

/** Files and folders that a report file of the job must never replace. */
export function reservedFiles(job: Job, files: Warehouses['files']): Reserved[] {
  const { file, root, definition, queryName, labels, located } = job;
  const { query_file: query, events } = definition.source;
  const model = located?.model?.folder ?? path.resolve(root, definition.model);
  const ofWarehouse = (end: keyof Warehouses['files']) =>
    files[end].map((path) => ({ what: `a file of the ${end}'s warehouse`, path }));
  return [
    ...ofWarehouse('source'),
    ...ofWarehouse('sink'),
    { what: 'the job file', path: file },
    ...(query === undefined ? [] : [{ what: 'the query file', path: path.resolve(root, queryName) }]),
    ...(events === undefined ? [] : [{ what: 'the feature file', path: path.resolve(root, events.features) }]),
    ...(labels && definition.labels?.query_file !== undefined
      ? [{ what: 'the query file of labels', path: path.resolve(root, labels.queryName) }]
      : []),
    { what: 'the model bundle', path: model },
  ];
}

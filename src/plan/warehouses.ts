import path from 'node:path';
import type { Context } from '../context.ts';
import { parseTableName, sibling, suffixed, type TableName } from '../domain/table-name.ts';
import type { TableNames } from '../domain/tables.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import type { Job } from '../job/load.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Reserved } from '../report/reserved.ts';
import { readMachine } from '../sizing/machine.ts';
import { machineBound, mainDatabase, requestedBound, reserveOf } from '../sizing/memory-plan.ts';
import { openWarehouse } from '../warehouse/open.ts';
import type { Warehouse, WarehouseAccess } from '../warehouse/warehouse.ts';

/** What a report file of the job must never replace. */
export function reservedFiles(
  { file, root, definition, queryName }: Job,
  { source, sink }: Pick<Warehouses, 'source' | 'sink'>,
): Reserved[] {
  const { query_file: query } = definition.source;
  const ofWarehouse = (name: string, { files = [] }: Warehouse) =>
    files.map((path) => ({ what: `a file of the ${name}'s warehouse`, path }));
  return [
    ...ofWarehouse('source', source),
    ...ofWarehouse('sink', sink),
    { what: 'the job file', path: file },
    ...(query === undefined ? [] : [{ what: 'the query file', path: path.resolve(root, queryName) }]),
    { what: 'the model bundle', path: path.resolve(root, definition.model) },
  ];
}

/** Names of a job's tables; quarantine and ledger stand beside the scores table. */
export function tableNames({ sink, report }: JobDefinition): TableNames {
  const scores = nameOf(sink.table);
  return {
    scores,
    quarantine: suffixed(scores, '_quarantine'),
    ledger: sibling(scores, 'score_batch_ledger'),
    report: report.table === undefined ? undefined : nameOf(report.table),
    summary: report.summary_table === undefined ? undefined : nameOf(report.summary_table),
  };
}

export interface Warehouses {
  readonly source: Warehouse;
  readonly sink: Warehouse;
  /** The source, for threads that open it for themselves. */
  readonly sourceAccess: WarehouseAccess;
}

/** Source and sink of a job; nothing is connected yet. */
export async function openWarehouses({ definition, root }: Job, context: Context): Promise<Warehouses> {
  const { cores, memory } = readMachine();
  const bound = requestedBound(context.environment, definition.score.max_memory) ?? machineBound(memory);
  const kinds = [definition.source.warehouse, definition.sink.warehouse ?? definition.source.warehouse].map(warehouseKind);
  const local = kinds.every((kind) => kind === 'duckdb');
  const shared = {
    root,
    job: definition.name,
    memory: mainDatabase(bound, { local, cores }),
    reserve: reserveOf(bound, local),
  };
  const warned = new Set<string>();
  const warn = (message: string): void => {
    // Source and sink may have the same to say.
    if (!warned.has(message)) context.console.warn(message);
    warned.add(message);
  };
  const open = async (access: WarehouseAccess): Promise<Warehouse> => {
    const { environment, signal } = context;
    const warehouse = await openWarehouse({ ...access, environment, signal, warn });
    context.atEnd(() => warehouse.close());
    return warehouse;
  };
  const { warehouse: url, scratch, max_bytes: maxBytes, unload } = definition.source;
  const sourceAccess = { ...shared, url, scratch, maxBytes, unload };
  return {
    source: await open(sourceAccess),
    sink: await open({
      ...shared,
      url: definition.sink.warehouse ?? url,
      scratch: definition.sink.scratch,
      maxBytes: undefined,
    }),
    sourceAccess,
  };
}

/** Lets several questions have one opening of each file. Where another kind of warehouse answers between them, a file would be kept from others too long. */
export function readTogether({ source, sink }: Pick<Warehouses, 'source' | 'sink'>): AsyncDisposable {
  const readings = source.kind === sink.kind ? [source.readTogether?.(), sink.readTogether?.()] : [];
  return {
    async [Symbol.asyncDispose]() {
      for (const reading of readings) await reading?.[Symbol.asyncDispose]();
    },
  };
}

function nameOf(text: string): TableName {
  const name = parseTableName(text);
  if (name === undefined) throw new Error(`${text} passed the job file's check and is no table name`);
  return name;
}

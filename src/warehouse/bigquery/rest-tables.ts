import { ForeignAnswer } from '../foreign-answer.ts';
import { demand, isObject, type Json, textOrNothing } from './answer.ts';
import { type Connection, request, requestIfThere } from './connection.ts';
import { isStatus } from './failure.ts';
import type { DatasetName, FullName } from './names.ts';
import { countOrNothing, readFields, readRow } from './shapes.ts';
import type { Field } from './types.ts';

// Tables and datasets through the REST API: no jobs, no cost.

/** The parts of the table resource that we use: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables */
export interface TableResource {
  readonly type?: string;
  readonly numRows?: string;
  readonly description?: string;
  readonly schema?: { readonly fields?: readonly Field[] };
  readonly view?: { readonly query: string };
}

/** Properties of a new table. */
export interface NewTable {
  readonly schema: { readonly fields: readonly Field[] };
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly expirationTime?: string;
  readonly timePartitioning?: { readonly type: 'DAY'; readonly field: string };
  readonly clustering?: { readonly fields: readonly string[] };
}

/** Undefined if the table or its dataset does not exist. */
export async function getTable(connection: Connection, name: FullName): Promise<TableResource | undefined> {
  return await requestIfThere(connection, { uri: tableUri(name), project: name.project }, readTable);
}

/** Creates a table and its dataset if they do not exist; never alters existing ones. */
export async function createTable(connection: Connection, name: FullName, table: NewTable): Promise<void> {
  if (await getTable(connection, name)) return;
  const { project, dataset, table: tableId } = name;
  const tableReference = { projectId: project, datasetId: dataset, tableId };
  await createDataset(connection, name);
  await create(connection, project, `/datasets/${dataset}/tables`, { tableReference, ...table });
}

/** Does nothing if the table does not exist. */
export async function dropTable(connection: Connection, name: FullName): Promise<void> {
  await requestIfThere(connection, { method: 'DELETE', uri: tableUri(name), project: name.project }, () => true);
}

export async function hasDataset(connection: Connection, { project, dataset }: DatasetName): Promise<boolean> {
  return (await requestIfThere(connection, { uri: `/datasets/${dataset}`, project }, () => true)) === true;
}

/** Creates a dataset if it does not exist, in the location where jobs run. */
export async function createDataset(connection: Connection, name: DatasetName): Promise<void> {
  if (await hasDataset(connection, name)) return;
  const { project, dataset } = name;
  const location = await connection.location();
  await create(connection, project, '/datasets', { datasetReference: { projectId: project, datasetId: dataset }, location });
}

/** Pages of a thousand tables. */
const MAX_PAGES = 1000;

interface TableList {
  readonly tables: readonly string[];
  readonly nextPageToken: string | undefined;
}

function readTable({ type, numRows, description, schema, view }: Json): TableResource {
  const known = {
    type: textOrNothing(type, 'type'),
    numRows: countOrNothing(numRows, 'numRows'),
    description: textOrNothing(description, 'description'),
    schema: isObject(schema) ? { fields: readFields(schema.fields) } : undefined,
    view: isObject(view) ? { query: textOrNothing(view.query, 'view.query') ?? '' } : undefined,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

function readTableList({ tables = [], nextPageToken }: Json): TableList {
  demand(Array.isArray(tables), 'tables');
  const names = tables.map((table: unknown) => {
    const reference = isObject(table) ? table.tableReference : undefined;
    demand(isObject(reference) && typeof reference.tableId === 'string', 'tables[].tableReference.tableId');
    return reference.tableId;
  });
  return { tables: names, nextPageToken: textOrNothing(nextPageToken, 'nextPageToken') || undefined };
}

function readOnlyCell({ rows = [] }: Json): string | undefined {
  demand(Array.isArray(rows), 'rows');
  return rows.length === 0 ? undefined : (readRow(rows[0])[0] ?? undefined);
}

/** Names of the dataset's tables; empty if the dataset does not exist. */
export async function listTables(connection: Connection, { project, dataset }: DatasetName): Promise<string[]> {
  const names: string[] = [];
  const tokens = new Set<string>();
  let pageToken: string | undefined;
  for (;;) {
    const page = await requestIfThere(
      connection,
      {
        uri: `/datasets/${dataset}/tables`,
        project,
        qs: { maxResults: 1000, ...(pageToken !== undefined && { pageToken }) },
      },
      readTableList,
    );
    names.push(...(page?.tables ?? []));
    pageToken = page?.nextPageToken;
    if (pageToken === undefined) return names;
    if (tokens.has(pageToken) || tokens.size >= MAX_PAGES) {
      throw new ForeignAnswer(`the list of the tables of ${dataset} does not end`);
    }
    tokens.add(pageToken);
  }
}

/** The cell of a table with one row and one text column; undefined if the table does not exist. */
export async function readCell(connection: Connection, name: FullName): Promise<string | undefined> {
  const uri = `${tableUri(name)}/data`;
  return await requestIfThere(connection, { uri, project: name.project }, readOnlyCell);
}

/** Safe to retry: it is fine if another process, or an earlier request whose answer was lost, has created it. */
async function create(connection: Connection, project: string, uri: string, json: unknown): Promise<void> {
  try {
    await request(connection, { method: 'POST', uri, project, json }, () => undefined);
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
}

function tableUri({ dataset, table }: FullName): string {
  return `/datasets/${dataset}/tables/${encodeURIComponent(table)}`;
}

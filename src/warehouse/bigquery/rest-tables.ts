import { type Connection, request, requestIfThere } from './connection.ts';
import { isStatus } from './failure.ts';
import type { DatasetName, FullName } from './names.ts';
import type { Field } from './types.ts';

// Tables and datasets by the REST API: no jobs, nothing billed.

/** The parts of the table resource that are used: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables */
export interface TableResource {
  readonly type?: string;
  readonly numRows?: string;
  readonly description?: string;
  readonly schema?: { readonly fields?: readonly Field[] };
}

/** What a new table has. */
export interface NewTable {
  readonly schema: { readonly fields: readonly Field[] };
  readonly description?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly expirationTime?: string;
  readonly timePartitioning?: { readonly type: 'DAY'; readonly field: string };
  readonly clustering?: { readonly fields: readonly string[] };
}

/** Undefined where the table, or its dataset, is not there. */
export async function getTable(connection: Connection, name: FullName): Promise<TableResource | undefined> {
  return await requestIfThere<TableResource>(connection, { uri: tableUri(name), project: name.project });
}

/** Creates a table, and its dataset, where they are missing; never alters one that is there. */
export async function createTable(connection: Connection, name: FullName, table: NewTable): Promise<void> {
  if (await getTable(connection, name)) return;
  const { project, dataset, table: tableId } = name;
  const tableReference = { projectId: project, datasetId: dataset, tableId };
  await createDataset(connection, name);
  await create(connection, project, `/datasets/${dataset}/tables`, { tableReference, ...table });
}

/** Nothing happens where it is not there. */
export async function dropTable(connection: Connection, name: FullName): Promise<void> {
  await requestIfThere<unknown>(connection, { method: 'DELETE', uri: tableUri(name), project: name.project });
}

export async function hasDataset(connection: Connection, { project, dataset }: DatasetName): Promise<boolean> {
  return (await requestIfThere<unknown>(connection, { uri: `/datasets/${dataset}`, project })) !== undefined;
}

/** Creates a dataset where it is missing, in the location where jobs run. */
export async function createDataset(connection: Connection, name: DatasetName): Promise<void> {
  if (await hasDataset(connection, name)) return;
  const { project, dataset } = name;
  const location = await connection.location();
  await create(connection, project, '/datasets', { datasetReference: { projectId: project, datasetId: dataset }, location });
}

interface TableList {
  readonly tables?: readonly { readonly tableReference: { readonly tableId: string } }[];
  readonly nextPageToken?: string;
}

/** Names of the dataset's tables; none where it is not there. */
export async function listTables(connection: Connection, { project, dataset }: DatasetName): Promise<string[]> {
  const names: string[] = [];
  let pageToken: string | undefined;
  do {
    const page: TableList | undefined = await requestIfThere<TableList>(connection, {
      uri: `/datasets/${dataset}/tables`,
      project,
      qs: { maxResults: 1000, ...(pageToken !== undefined && { pageToken }) },
    });
    for (const { tableReference } of page?.tables ?? []) names.push(tableReference.tableId);
    pageToken = page?.nextPageToken;
  } while (pageToken !== undefined);
  return names;
}

/** The only cell of a table of one row and one text column; undefined where the table is not there. */
export async function readCell(connection: Connection, name: FullName): Promise<string | undefined> {
  const uri = `${tableUri(name)}/data`;
  const data = await requestIfThere<{ rows?: readonly { f: readonly { v: string }[] }[] }>(connection, {
    uri,
    project: name.project,
  });
  return data?.rows?.[0]?.f[0]?.v;
}

/** Sent again where nobody knows: what is there already, by another process or by a request whose answer was lost, is as good. */
async function create(connection: Connection, project: string, uri: string, json: unknown): Promise<void> {
  try {
    await request<unknown>(connection, { method: 'POST', uri, project, json });
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
}

function tableUri({ dataset, table }: FullName): string {
  return `/datasets/${dataset}/tables/${encodeURIComponent(table)}`;
}

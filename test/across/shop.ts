import { readFile } from 'node:fs/promises';
import snowflake from 'snowflake-sdk';
import type { ProvidedContext } from 'vitest';
import { repository, statements } from '../support/project.ts';

// The orders of the demo, put into each kind of warehouse the way its own users would.

type BigQueryAddress = NonNullable<ProvidedContext['bigquery']>;
type SnowflakeAddress = NonNullable<ProvidedContext['snowflake']>;

const ORDERS = repository('data', 'cdnow', 'transactions.csv');

export async function fillDuckdb(file: string): Promise<void> {
  await statements(file, [
    `create table orders as select * from read_csv('${ORDERS}',
       columns = {customer_id: 'bigint', date: 'date', cds: 'integer', amount: 'decimal(10,2)'})`,
  ]);
}

export async function makeDataset({ rest }: BigQueryAddress, project: string, dataset: string): Promise<void> {
  const body = JSON.stringify({ datasetReference: { projectId: project, datasetId: dataset } });
  await post(`${rest}/bigquery/v2/projects/${project}/datasets`, 'application/json', body);
}

/** Makes the table `orders` in a dataset of its own, by a load job as the `bq` tool sends it. */
export async function fillBigquery(address: BigQueryAddress, project: string, dataset: string): Promise<void> {
  await makeDataset(address, project, dataset);
  const fields = [
    { name: 'customer_id', type: 'INT64' },
    { name: 'date', type: 'DATE' },
    { name: 'cds', type: 'INT64' },
    { name: 'amount', type: 'NUMERIC', precision: 10, scale: 2 },
  ];
  const load = {
    destinationTable: { projectId: project, datasetId: dataset, tableId: 'orders' },
    sourceFormat: 'CSV',
    skipLeadingRows: 1,
    schema: { fields },
  };
  const part = (type: string, text: string) => `--part\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
  await post(
    `${address.rest}/upload/bigquery/v2/projects/${project}/jobs?uploadType=multipart`,
    'multipart/related; boundary=part',
    `${part('application/json', JSON.stringify({ configuration: { load } }))}${part('text/csv', await readFile(ORDERS, 'utf8'))}--part--`,
  );
}

/** Runs a statement on the emulator and returns its rows, values as text. @throws Error if the statement fails */
export async function runBigquery({ rest }: BigQueryAddress, project: string, sql: string): Promise<Record<string, unknown>[]> {
  const body = JSON.stringify({ query: sql, useLegacySql: false });
  const {
    schema,
    rows = [],
    errors,
  } = JSON.parse(await post(`${rest}/bigquery/v2/projects/${project}/queries`, 'application/json', body)) as {
    schema?: { fields: { name: string }[] };
    rows?: { f: { v: unknown }[] }[];
    // The emulator answers 200 even so.
    errors?: unknown;
  };
  if (errors !== undefined) throw new Error(`${sql} fails: ${JSON.stringify(errors)}`);
  return rows.map(({ f }) => Object.fromEntries(f.map(({ v }, i) => [schema?.fields[i]?.name ?? '', v])));
}

/** Names of the dataset's tables; none where there is no such dataset. */
export async function listTables({ rest }: BigQueryAddress, project: string, dataset: string): Promise<string[]> {
  const response = await fetch(`${rest}/bigquery/v2/projects/${project}/datasets/${dataset}/tables`);
  const { tables = [] } = (await response.json()) as { tables?: { tableReference: { tableId: string } }[] };
  return tables.map(({ tableReference }) => tableReference.tableId);
}

async function post(url: string, type: string, body: string): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
  const text = await response.text();
  if (!response.ok || text.includes('errorResult')) throw new Error(`${url} answers ${text}`);
  return text;
}

/** Makes the table `orders` in the schema PUBLIC of a database of its own. */
export async function fillSnowflake({ url }: SnowflakeAddress, database: string): Promise<void> {
  await runSnowflake({ url }, database, [
    'create table orders (customer_id number(18, 0), date date, cds number(9, 0), amount number(10, 2))',
    'create stage shop',
    `put file://${ORDERS} @shop auto_compress=false`,
    'copy into orders from @shop file_format = (type = csv skip_header = 1)',
  ]);
}

/** Runs statements on the emulator and returns the rows of the last one. */
export async function runSnowflake(
  { url }: SnowflakeAddress,
  database: string,
  list: readonly string[],
): Promise<Record<string, unknown>[]> {
  snowflake.configure({ logLevel: 'ERROR' });
  const connection = snowflake.createConnection({
    account: 'fakesnow',
    username: 'fake',
    password: 'snow',
    database,
    schema: 'PUBLIC',
    accessUrl: url,
  });
  await connection.connectAsync();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const sqlText of list) {
      rows = await new Promise((resolve, reject) => {
        connection.execute({
          sqlText,
          complete: (error, _statement, found) => (error ? reject(error) : resolve((found ?? []) as Record<string, unknown>[])),
        });
      });
    }
    return rows;
  } finally {
    await new Promise((resolve) => connection.destroy(resolve));
  }
}

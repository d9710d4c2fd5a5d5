import { startEmulator } from './emulator.ts';
import type { Shop } from './shop.ts';

interface Answer {
  readonly schema?: { readonly fields: readonly { readonly name: string }[] };
  readonly rows?: readonly { readonly f: readonly { readonly v: unknown }[] }[];
}

const PROJECT = 'replay';
const DATASET = 'shop';

/** The shop as a dataset of an emulator. */
export async function bigqueryShop(folder: string): Promise<Shop> {
  const { address, stop } = await startEmulator<{ readonly rest: string; readonly grpc: string }>('bigquery', folder);
  const send = async (uri: string, body: object): Promise<Answer> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${address.rest}/bigquery/v2/projects/${PROJECT}${uri}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok || text.includes('errorResult')) throw new Error(text);
    return JSON.parse(text) as Answer;
  };
  await send('/datasets', { datasetReference: { projectId: PROJECT, datasetId: DATASET } });
  return {
    kind: 'bigquery',
    url: `bigquery://${PROJECT}/${DATASET}`,
    environment: {
      BIGQUERY_EMULATOR_HOST: address.rest,
      BIGQUERY_STORAGE_EMULATOR_HOST: address.grpc,
      METADATA_SERVER_DETECTION: 'none',
    },
    types: { integer: 'int64', decimal: 'numeric', boolean: 'bool', timestamp: 'timestamp' },
    orders: `${DATASET}.orders`,
    position: 'position',
    instant: (column) => `format_timestamp('%Y-%m-%dT%H:%M:%E6SZ', ${column})`,
    visit: (work) =>
      work(async (sql) => {
        const { schema, rows = [] } = await send('/queries', { query: sql, useLegacySql: false });
        return rows.map(({ f }) => Object.fromEntries(f.map(({ v }, i) => [schema?.fields[i]?.name ?? '', v])));
      }),
    stop,
  };
}

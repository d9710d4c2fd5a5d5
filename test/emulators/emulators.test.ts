import { BigQuery } from '@google-cloud/bigquery';
import snowflake from 'snowflake-sdk';
import { expect, inject, it } from 'vitest';

const bigquery = inject('bigquery');
const fakesnow = inject('snowflake');

// What is not there is not tested; the last line of the output says why it is not.
it.skipIf(bigquery === undefined)('the BigQuery emulator answers the BigQuery client', async () => {
  const client = new BigQuery({ projectId: 'score-batch', apiEndpoint: bigquery?.rest ?? '' });
  const [rows] = await client.query('select 1 as one');
  expect(rows).toEqual([{ one: 1 }]);
});

// Without an emulator; the last line of the output says why there is none.
it.skipIf(fakesnow === undefined)('the Snowflake emulator answers the Snowflake driver', async () => {
  snowflake.configure({ logLevel: 'ERROR' });
  const connection = snowflake.createConnection({
    account: 'fakesnow',
    username: 'fake',
    password: 'snow',
    database: 'EMULATORS',
    schema: 'PUBLIC',
    accessUrl: fakesnow?.url ?? '',
  });
  await connection.connectAsync();
  const rows = await new Promise((resolve, reject) => {
    connection.execute({
      sqlText: 'select 1 as one',
      complete: (error, _statement, found) => (error === null || error === undefined ? resolve(found) : reject(error)),
    });
  });
  expect(rows).toEqual([{ ONE: 1 }]);
  await new Promise((resolve) => connection.destroy(resolve));
});

// Loads the demo's orders into the BigQuery emulator, with a load job like that of the `bq` tool: `node load-orders.mjs FILE`.
import { readFile } from 'node:fs/promises';

const [file] = process.argv.slice(2);
const [project, dataset] = ['shop', 'shop'];
const api = `${process.env.BIGQUERY_EMULATOR_HOST}/%/bigquery/v2/projects/${project}`;

await untilItAnswers(120);
await post(
  '',
  'datasets',
  'application/json',
  JSON.stringify({ datasetReference: { projectId: project, datasetId: dataset } }),
);
const load = {
  destinationTable: { projectId: project, datasetId: dataset, tableId: 'orders' },
  sourceFormat: 'CSV',
  skipLeadingRows: 1,
  writeDisposition: 'WRITE_TRUNCATE',
  schema: {
    fields: [
      { name: 'customer_id', type: 'INT64' },
      { name: 'date', type: 'DATE' },
      { name: 'cds', type: 'INT64' },
      { name: 'amount', type: 'NUMERIC', precision: 10, scale: 2 },
    ],
  },
};
const part = (type, text) => `--part\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
const body = `${part('application/json', JSON.stringify({ configuration: { load } }))}${part('text/csv', await readFile(file, 'utf8'))}--part--`;
await post('upload/', 'jobs?uploadType=multipart', 'multipart/related; boundary=part', body);
process.stdout.write(`loaded ${file} into ${project}.${dataset}.orders\n`);

async function untilItAnswers(seconds) {
  for (let i = 0; i < seconds; i++) {
    const answers = await fetch(api.replace('%/', '')).then(
      () => true,
      () => false,
    );
    if (answers) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error(`${process.env.BIGQUERY_EMULATOR_HOST} does not answer`);
}

async function post(before, name, type, text) {
  const response = await fetch(`${api.replace('%/', before)}/${name}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: text,
  });
  const answer = await response.text();
  // An existing dataset is not a failure.
  if (response.status !== 409 && (!response.ok || answer.includes('errorResult'))) throw new Error(answer);
}

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { jobJsonSchema } from '../../src/job/json-schema.ts';
import { parseJob } from '../../src/job/parse.ts';
import { jobTemplate } from '../../src/job/template.ts';
import { repository } from '../support/project.ts';

const MINIMAL = `name: churn
model: models/churn
time_zone: Europe/Berlin
source: { warehouse: "duckdb:w.duckdb", query: select 1, key: [id] }
sink: { table: marketing.scores }
`;

it('has the current schema in the file for editors; `npm run build` updates it', async () => {
  expect(JSON.parse(await readFile(repository('jobs', 'job.schema.json'), 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(jobJsonSchema())),
  );
});

const editor = z.fromJSONSchema(jobJsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);

function accepted(text: string): { byEditor: boolean; byParser: boolean } {
  let byParser = true;
  try {
    parseJob(text, 'job.yaml', {});
  } catch {
    byParser = false;
  }
  return { byEditor: editor.safeParse(parse(text)).success, byParser };
}

it.each([
  MINIMAL,
  `${MINIMAL}every: hour\nfeatures: { a: b }\n`,
  `${MINIMAL}score: { column: p, bands: { high: 0.9 }, chunk_rows: 1, batch_rows: 10, workers: 2 }\n`,
  `${MINIMAL}score: {}\nreport: {}\ngates: {}\n`,
  `${MINIMAL}report: { table: m.r, summary_table: m.s, csv: "{window}.csv" }\n`,
  `${MINIMAL}gates: { max_drop: 50%, max_quarantine_rate: 0.5, max_score_psi: 0.25 }\n`,
  jobTemplate('churn', './job.schema.json'),
])('accepts the same job in editor and parser %#', (text) => {
  expect(accepted(text)).toEqual({ byEditor: true, byParser: true });
});

it.each([
  MINIMAL.replace('model: models/churn\n', ''),
  `${MINIMAL}every: month\n`,
  `${MINIMAL}scoer: {}\n`,
  `${MINIMAL}score: { columns: p }\n`,
  `${MINIMAL}score: { chunk_rows: 0 }\n`,
  `${MINIMAL}score: { workers: many }\n`,
  `${MINIMAL}gates: { max_drop: half }\n`,
  MINIMAL.replace('[id]', '[]'),
  MINIMAL.replace('name: churn', 'name: Churn Weekly'),
])('refuses the same job in editor and parser %#', (text) => {
  expect(accepted(text)).toEqual({ byEditor: false, byParser: false });
});

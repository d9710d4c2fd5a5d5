import { expect, it } from 'vitest';
import type { Column } from '../../../src/domain/schema.ts';
import { tablesOf } from '../../../src/domain/tables.ts';
import { type Answer, fakeGoogle, type Recorded, refusal } from './fake-google.ts';

// Google's documented answers, unproven on BigQuery itself; see fake-google.ts.

const KEY: Column = { name: 'User_ID', type: 'integer', native: 'INT64' };
const PRICE: Column = { name: 'price', type: 'decimal', native: 'NUMERIC(10, 2)', digits: [10, 2] };
const NAMES = {
  scores: ['other-project', 'marketing', 'scores'],
  quarantine: ['marketing', 'scores_quarantine'],
  ledger: ['score_batch_ledger'],
  report: undefined,
  summary: undefined,
};
const TABLES = tablesOf(NAMES, { key: [KEY], keep: [PRICE], scoreColumn: 'score' });

/** Differences where the scores table is this and the others are missing. */
async function differences(table: unknown): Promise<{ found: readonly string[]; requests: readonly Recorded[] }> {
  const google = await fakeGoogle(({ path }) =>
    path.endsWith('/scores') ? { body: table } : path.includes('/tables/') ? refusal(404, 'notFound') : undefined,
  );
  return { found: await google.open().sink.differences(TABLES), requests: google.requests };
}

/** Fields of the scores table as it should be, in the names of the REST API. */
const FIELDS = TABLES.scores.columns.map(({ name, type, digits }) => ({
  name: name.toLowerCase(),
  type: { integer: 'INTEGER', decimal: 'NUMERIC', string: 'STRING', timestamp: 'TIMESTAMP' }[type as string] ?? '',
  ...(digits && { precision: String(digits[0]), scale: String(digits[1]) }),
}));

it('finds tables by the parts of their names, and what the URL says of the rest', async () => {
  const { found, requests } = await differences({ type: 'TABLE', schema: { fields: FIELDS } });
  expect(found).toEqual([]);
  expect(requests.map(({ path }) => path)).toEqual([
    '/datasets/marketing/tables/scores',
    '/datasets/marketing/tables/scores_quarantine',
    '/datasets/home/tables/score_batch_ledger',
  ]);
});

it.each([
  ['a column is missing', FIELDS.slice(1), ['other-project.marketing.scores has no column User_ID (INT64)']],
  [
    'a column is of another type',
    FIELDS.map((field) => (field.name === 'user_id' ? { ...field, type: 'STRING' } : field)),
    ['other-project.marketing.scores.User_ID is STRING and should be INT64'],
  ],
  [
    'a decimal has fewer digits',
    FIELDS.map((field) => (field.name === 'price' ? { ...field, precision: '9' } : field)),
    ['other-project.marketing.scores.price is NUMERIC(9, 2) and should be NUMERIC(10, 2)'],
  ],
  ['a decimal is not limited', FIELDS.map(({ name, type }) => ({ name, type })), []],
  [
    'a column is too many',
    [...FIELDS, { name: 'extra', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'x', type: 'FLOAT' }] }],
    ['other-project.marketing.scores has a column extra that is not published'],
  ],
])('says what differs where %s', async (_, fields, expected) => {
  expect((await differences({ type: 'TABLE', schema: { fields } })).found).toEqual(expected);
});

it('refuses a view', async () => {
  const { found } = await differences({ type: 'MATERIALIZED_VIEW', schema: { fields: FIELDS } });
  expect(found).toEqual(['other-project.marketing.scores is a materialized view, not a table']);
});

const rights: [string, (request: Recorded) => boolean, string, string][] = [
  [
    'to run queries',
    ({ path }) => path === '/jobs',
    'Access Denied: Project project: User does not have bigquery.jobs.create permission in project project.',
    'roles/bigquery.jobUser',
  ],
  [
    'to make tables in scratch',
    ({ method, path }) => method === 'POST' && path === '/datasets/scratch/tables',
    'Access Denied: Dataset project:scratch: Permission bigquery.tables.create denied on dataset project:scratch (or it may not exist).',
    'GRANT `roles/bigquery.dataEditor` ON SCHEMA `project.scratch`',
  ],
];

it.each(rights)('names the missing right %s, with what grants it', async (_, denied, message, hint) => {
  const google = await fakeGoogle((request): Answer | undefined => {
    if (denied(request)) return refusal(403, 'accessDenied', message);
    if (request.path.startsWith('/queries/')) return { body: { totalRows: '1', rows: [{ f: [{ v: 'proven' }] }] } };
    return request.path.includes('/tables/') && request.method === 'GET' ? refusal(404, 'notFound') : undefined;
  });
  for (const part of [google.open().source, google.open().sink]) {
    await expect(part.probe([['marketing', 'scores']])).rejects.toMatchObject({
      kind: 'permission',
      details: [message],
      hint: expect.stringContaining(hint),
    });
  }
});

it('says that scratch is not there yet, and makes nothing by asking', async () => {
  const google = await fakeGoogle(({ path }) => {
    if (path.startsWith('/queries/')) return { body: { totalRows: '1', rows: [{ f: [{ v: 'proven' }] }] } };
    return path.startsWith('/datasets/scratch') ? refusal(404, 'notFound') : undefined;
  });
  expect(await google.open().source.probe()).toContain('project.scratch does not exist yet');
  expect(google.requests.filter(({ method, path }) => method === 'POST' && path !== '/jobs')).toEqual([]);
});

it('proves the right to write with a table of its own, never a table of the job', async () => {
  const google = await fakeGoogle(({ method, path }) => {
    if (path.startsWith('/queries/')) return { body: { totalRows: '1', rows: [{ f: [{ v: 'proven' }] }] } };
    return method === 'GET' && path.includes('/tables/') ? refusal(404, 'notFound') : undefined;
  });
  await google.open().sink.probe(Object.values(NAMES).filter((name) => name !== undefined));
  const written = google.requests
    .filter(({ method }) => method !== 'GET')
    .map(({ path, body }) => JSON.stringify([path, body]));
  expect(written.filter((text) => text.includes('score_batch_probe_'))).toHaveLength(12);
  expect(written.filter((text) => /scores|ledger/.test(text))).toEqual([]);
});

it.each([
  [
    ['my-dataset', 'scores'],
    'my-dataset.scores: "my-dataset" is not a valid BigQuery dataset name',
    /letters, digits and underscores/,
  ],
  [
    ['a project', 'marketing', 'scores'],
    'a project.marketing.scores: "a project" is not a valid BigQuery project id',
    /dashes/,
  ],
  [['marketing', 'scores!'], 'marketing.scores!: "scores!" is not a valid BigQuery table name', /spaces/],
])('refuses the name %j before anything is asked', async (scores, message, hint) => {
  const google = await fakeGoogle(() => undefined);
  const tables = tablesOf({ ...NAMES, scores }, { key: [KEY], keep: [], scoreColumn: 'score' });
  await expect(google.open().sink.differences(tables)).rejects.toMatchObject({
    kind: 'configuration',
    message,
    hint: expect.stringMatching(hint),
  });
  expect(google.requests).toEqual([]);
});

import { expect, it } from 'vitest';
import type { Query } from '../../../src/domain/query.ts';
import type { Column } from '../../../src/domain/schema.ts';
import { failed, fakeGoogle, type Recorded, refusal } from './fake-google.ts';

// Google's documented answers, unproven on BigQuery itself; see fake-google.ts.

const KEY: Column = { name: 'user_id', type: 'integer', native: 'INT64' };
const COLUMNS: Column[] = [KEY, { name: 'country', type: 'string', native: 'STRING' }];
const OPTIONS = { runId: '2026-W47-0123456789ab', key: [KEY], columns: COLUMNS, chunkRows: 100, hash: 'md5' as const };
const QUERY: Query = {
  name: 'jobs/users.sql',
  texts: ['select * from users where at >= ', ' and at < ', ' and day < ', ' -- a comment'],
  parameters: [
    { name: 'window_start', type: 'timestamp', value: '2026-11-16T05:00:00.000Z' },
    { name: 'window_end_local', type: 'datetime', value: '2026-11-23T00:00:00' },
    { name: 'window_end_date', type: 'date', value: '2026-11-23' },
  ],
};

/** A server on which nothing is frozen until the frozen table is made, with 30 rows in one bucket. */
async function source(special: (request: Recorded) => ReturnType<typeof refusal> | undefined = () => undefined) {
  let made = false;
  let manifest: string | undefined;
  return await fakeGoogle((request) => {
    const { path, body } = request;
    const given = special(request);
    if (given) return given;
    const sql: string = body?.configuration?.query?.query ?? '';
    if (sql.includes('score_batch_manifest_')) manifest = /AS SELECT '(.*)' AS manifest/.exec(sql)?.[1];
    if (sql.includes('PARTITION BY RANGE_BUCKET')) made = true;
    if (path.startsWith('/queries/'))
      return { body: { totalRows: '1', rows: [{ f: ['7', '30', '1', '2'].map((v) => ({ v })) }] } };
    if (path.endsWith('/data')) {
      return manifest === undefined ? refusal(404, 'notFound') : { body: { rows: [{ f: [{ v: manifest }] }] } };
    }
    if (path.includes('/tables/score_batch_frozen_')) {
      return made ? { body: { type: 'TABLE', numRows: '30' } } : refusal(404, 'notFound', 'Not found: Table');
    }
    return undefined;
  });
}

const freezing = ({ body }: Recorded) => body.configuration.query.query.includes('PARTITION BY RANGE_BUCKET');

it('freezes in one query job: bound, limited, labelled, and with an end', async () => {
  const google = await source();
  const frozen = await google.open({ maxBytes: 5e10 }).source.freeze(QUERY, OPTIONS);
  expect(frozen).toMatchObject({ rows: 30, divisions: 1, chunks: [{ chunk: 0, rows: 30, checksum: String(2 ** 30 + 2) }] });
  const [job, ...more] = google.sent().filter(freezing);
  expect(more).toEqual([]);
  const { jobReference, configuration } = job?.body ?? {};
  expect(jobReference).toEqual({
    projectId: 'project',
    location: 'EU',
    jobId: expect.stringMatching(/^score_batch_freeze_\w+$/),
  });
  expect(configuration).toMatchObject({
    labels: { created_by: 'score-batch', job: 'weekly', run: '2026-w47-0123456789ab' },
    query: {
      maximumBytesBilled: '50000000000',
      parameterMode: 'NAMED',
      queryParameters: [
        { name: 'window_start', parameterType: { type: 'TIMESTAMP' }, parameterValue: { value: '2026-11-16T05:00:00.000Z' } },
        { name: 'window_end_local', parameterType: { type: 'DATETIME' }, parameterValue: { value: '2026-11-23T00:00:00' } },
        { name: 'window_end_date', parameterType: { type: 'DATE' }, parameterValue: { value: '2026-11-23' } },
      ],
    },
  });
  const sql: string = configuration.query.query;
  expect(sql).toContain('CREATE TABLE IF NOT EXISTS `project`.`scratch`.`score_batch_frozen_2026-W47-0123456789ab`');
  expect(sql).toContain('PARTITION BY RANGE_BUCKET(score_batch_bucket, GENERATE_ARRAY(0, 1000, 1))');
  expect(sql).toContain(
    '(select * from users where at >= @window_start and at < @window_end_local and day < @window_end_date -- a comment\n)',
  );
  const deadline = Date.parse(/expiration_timestamp = TIMESTAMP '([^']+)'/.exec(sql)?.[1] ?? '') - Date.now();
  expect(Math.round(deadline / 86_400_000)).toBe(8);
  expect(sql).toContain("labels = [('created_by', 'score-batch'), ('job', 'weekly'), ('run', '2026-w47-0123456789ab')]");
  const mark = JSON.parse(/description = '(.*?)'\)/.exec(sql)?.[1] ?? '');
  expect(mark).toMatchObject({ createdBy: 'score-batch', job: 'weekly', run: '2026-W47-0123456789ab' });
});

it('gives two processes of a run the same job', async () => {
  const [one, two] = [await source(), await source()];
  for (const google of [one, two]) await google.open().source.freeze(QUERY, OPTIONS);
  const ids = [one, two].map((google) => google.sent().find(freezing)?.body.jobReference.jobId);
  expect(ids[0]).toBe(ids[1]);
});

it('scans again, under another id, where the table of a job of long ago was dropped', async () => {
  const google = await source((request) => {
    const { path, body } = request;
    const id: string = body?.jobReference?.jobId ?? path.split('/')[2] ?? '';
    if (!id.startsWith('score_batch_freeze_') || /_1$/.test(id)) return undefined;
    if (path === '/jobs') return refusal(409, 'duplicate', 'Already Exists: Job');
    return { status: 200, body: { jobReference: { projectId: 'project', jobId: id }, status: { state: 'DONE' } } as never };
  });
  expect((await google.open().source.freeze(QUERY, OPTIONS)).rows).toBe(30);
  expect(google.sent().filter(freezing)).toHaveLength(2);
});

it.each([
  ['bytesBilledLimitExceeded', 'Query exceeded limit for bytes billed: 10. 20 or higher required.', 'refused', 'max_bytes'],
  ['notFound', 'Not found: Dataset project:scratch was not found in location US', 'configuration', 'location='],
  ['invalid', 'Cannot read and write in different locations: source: US, destination: EU', 'configuration', 'location='],
  ['invalidQuery', 'Name country not found inside users at [1:9]', 'configuration', 'console'],
])('says of %s what to do, and leaves nothing frozen', async (reason, message, kind, hint) => {
  const google = await source(({ path, body }) =>
    path === '/jobs' && body.configuration.query.query.includes('RANGE_BUCKET')
      ? { status: 200, body: { ...body, status: failed(reason, message) } as never }
      : undefined,
  );
  const { source: frozen } = google.open();
  await expect(frozen.freeze(QUERY, OPTIONS)).rejects.toMatchObject({ kind, hint: expect.stringContaining(hint) });
  expect(await frozen.frozen(OPTIONS.runId)).toBeUndefined();
});

it('asks what a query would read, and runs nothing', async () => {
  const fields = [
    { name: 'i', type: 'INTEGER' },
    { name: 'f', type: 'FLOAT' },
    { name: 'n', type: 'NUMERIC' },
    { name: 'n_2', type: 'NUMERIC', precision: '10', scale: '2' },
    { name: 'b', type: 'BIGNUMERIC' },
    { name: 'b_38', type: 'BIGNUMERIC', precision: '38' },
    { name: 'list', type: 'INTEGER', mode: 'REPEATED' },
    { name: 'row', type: 'RECORD', fields: [{ name: 'x', type: 'BOOLEAN' }] },
    { name: 'place', type: 'GEOGRAPHY' },
    { name: 'json', type: 'JSON' },
    { name: 'at', type: 'TIME' },
  ];
  const google = await fakeGoogle(({ path, body }) =>
    path === '/jobs'
      ? {
          body: {
            ...body,
            status: { state: 'DONE' },
            statistics: { query: { totalBytesProcessed: '123456789012', schema: { fields } } },
          },
        }
      : undefined,
  );
  const { source: asked } = google.open();
  expect('estimate' in asked && (await (asked as unknown as { estimate(query: Query): Promise<number> }).estimate(QUERY))).toBe(
    123456789012,
  );
  expect((await asked.describe(QUERY)).map(({ name, type, native, digits }) => [name, type, native, digits])).toEqual([
    ['i', 'integer', 'INT64', undefined],
    ['f', 'float', 'FLOAT64', undefined],
    ['n', 'decimal', 'NUMERIC', [38, 9]],
    ['n_2', 'decimal', 'NUMERIC(10, 2)', [10, 2]],
    ['b', 'other', 'BIGNUMERIC', undefined],
    ['b_38', 'decimal', 'BIGNUMERIC(38)', [38, 0]],
    ['list', 'other', 'ARRAY<INT64>', undefined],
    ['row', 'other', 'STRUCT<x BOOL>', undefined],
    ['place', 'other', 'GEOGRAPHY', undefined],
    ['json', 'other', 'JSON', undefined],
    ['at', 'other', 'TIME', undefined],
  ]);
  expect(google.requests.every(({ body }) => body.configuration.dryRun === true)).toBe(true);
  expect(google.requests[0]?.body.configuration.query.parameterMode).toBe('NAMED');
});

it('a manifest whose frozen table is gone is dropped and not believed: tables expire one by one', async () => {
  let stale: string | undefined = JSON.stringify({ runId: OPTIONS.runId, columns: COLUMNS, chunks: [], rows: 0, divisions: 1 });
  const google = await source(({ method, path }) => {
    if (stale === undefined || !path.includes('/tables/score_batch_manifest_')) return undefined;
    if (method !== 'DELETE') return { body: { rows: [{ f: [{ v: stale }] }] } };
    stale = undefined;
    return { body: {} };
  });
  expect(await google.open().source.freeze(QUERY, OPTIONS)).toMatchObject({ rows: 30, divisions: 1 });
});

import path from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../../src/duckdb/database.ts';
import { temporaryFolder } from '../../support/project.ts';
import { failed, fakeGoogle, type Recorded, refusal } from './fake-google.ts';

// Google's documented answers, unproven on BigQuery itself; see fake-google.ts.

const uploads = ({ query }: Recorded) => query.get('uploadType') === 'multipart';
const idOf = ({ body }: Recorded) => body.jobReference.jobId as string;

/** A scored file of one row, as a chunk worker writes it. */
async function scoredFile() {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'chunk.parquet');
  await using database = await openDatabase(':memory:', { threads: 1, memory: 1e8, temporary: folder });
  await database.run(
    `COPY (SELECT 1::BIGINT AS key_0, 'C0' AS keep_0, 2::TINYINT AS keep_1, date '2026-01-01' AS keep_2, true AS keep_3,
       0.5::FLOAT AS keep_4, 0.5::DECIMAL(7, 6) AS score, 'x' AS reason, 3::INTEGER AS chunk, 'abcd' AS attempt)
     TO '${file}' (FORMAT parquet)`,
  );
  const seconds = { read: 0, encode: 0, score: 0, write: 0 };
  return { chunk: 3, attempt: 'abcd', file, rows: 1, provider: 'cpu', seconds };
}

it('makes staging of the columns of the first file, with an end', async () => {
  const google = await fakeGoogle(({ method, path: asked }) =>
    method === 'GET' && asked.includes('/tables/') ? refusal(404, 'notFound') : undefined,
  );
  await google.open().sink.stage('run', await scoredFile());
  const made = google.requests.find(({ method, path: asked }) => method === 'POST' && asked.endsWith('/tables'));
  expect(made?.body).toMatchObject({
    tableReference: { projectId: 'project', datasetId: 'scratch', tableId: 'score_batch_staged_run' },
    labels: { created_by: 'score-batch', job: 'weekly', run: 'run' },
    description: expect.stringContaining('"createdBy":"score-batch"'),
    expirationTime: expect.stringMatching(/^\d{13}$/),
    schema: {
      fields: [
        { name: 'key_0', type: 'INT64' },
        { name: 'keep_0', type: 'STRING' },
        { name: 'keep_1', type: 'INT64' },
        { name: 'keep_2', type: 'DATE' },
        { name: 'keep_3', type: 'BOOL' },
        { name: 'keep_4', type: 'FLOAT64' },
        { name: 'score', type: 'NUMERIC', precision: '7', scale: '6' },
        { name: 'reason', type: 'STRING' },
        { name: 'chunk', type: 'INT64' },
        { name: 'attempt', type: 'STRING' },
      ],
    },
  });
});

it('loads a file under the id of its attempt, and not again', async () => {
  const google = await fakeGoogle(() => undefined);
  const { sink } = google.open();
  const scored = await scoredFile();
  await sink.stage('run', scored);
  await sink.stage('run', scored);
  const [upload, ...more] = google.requests.filter(uploads);
  expect(more).toEqual([]);
  expect(upload?.body).toEqual({
    jobReference: { projectId: 'project', location: 'EU', jobId: expect.stringMatching(/^score_batch_stage_\w{16}_3_abcd$/) },
    configuration: {
      labels: { created_by: 'score-batch', job: 'weekly', run: 'run' },
      load: {
        destinationTable: { projectId: 'project', datasetId: 'scratch', tableId: 'score_batch_staged_run' },
        sourceFormat: 'PARQUET',
        writeDisposition: 'WRITE_APPEND',
        createDisposition: 'CREATE_NEVER',
      },
    },
  });
});

it('looks up a load whose answer was lost, and loads nothing twice', async () => {
  const google = await fakeGoogle((request) => (uploads(request) ? { cut: true } : undefined));
  await google.open().sink.stage('run', await scoredFile());
  const [upload, ...more] = google.requests.filter(uploads);
  expect(more).toEqual([]);
  expect(google.requests.at(-1)?.path).toBe(`/jobs/${upload && idOf(upload)}`);
});

it('loads again, under another id, where a load failed through no fault of its own', async () => {
  let sent = 0;
  const google = await fakeGoogle((request) => {
    if (!uploads(request)) return undefined;
    sent += 1;
    return sent === 1 ? { body: { ...request.body, status: failed('backendError', 'try again') } } : undefined;
  });
  await google.open().sink.stage('run', await scoredFile());
  const ids = google.requests.filter(uploads).map(idOf);
  expect(ids).toEqual([ids[0], `${ids[0]}_1`]);
});

it('says that the loads of a table and day are used up', async () => {
  const message = 'Quota exceeded: Your table exceeded quota for imports or query appends per table.';
  const google = await fakeGoogle((request) => (uploads(request) ? refusal(403, 'quotaExceeded', message) : undefined));
  await expect(google.open().sink.stage('run', await scoredFile())).rejects.toMatchObject({
    kind: 'unavailable',
    details: [message],
  });
  expect(google.requests.filter(uploads)).toHaveLength(4);
});

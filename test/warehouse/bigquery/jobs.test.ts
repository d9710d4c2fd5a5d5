import { describe, expect, it } from 'vitest';
import { type Answer, failed, fakeGoogle, type Recorded, refusal } from './fake-google.ts';

// Google's documented answers, unproven on BigQuery itself; see fake-google.ts.

const QUERY = { name: 'jobs/query.sql', texts: ['select true as ready'], parameters: [] };
const FIELDS = [{ name: 'ready', type: 'BOOLEAN', mode: 'NULLABLE' }];

/** A server whose queries are described and return true, but for what `special` says of jobs that run. */
async function ready(special: (request: Recorded, nth: number) => Answer | undefined) {
  let jobs = 0;
  return await fakeGoogle((request) => {
    const { path, body } = request;
    if (path === '/jobs' && body.configuration.dryRun) {
      return { body: { ...body, status: { state: 'DONE' }, statistics: { query: { schema: { fields: FIELDS } } } } };
    }
    if (path.startsWith('/queries/')) return { body: { jobComplete: true, totalRows: '1', rows: [{ f: [{ v: 'true' }] }] } };
    if (path === '/jobs') jobs += 1;
    return special(request, jobs);
  });
}

describe('a job whose fate nobody knows', () => {
  const lost: [string, Answer][] = [
    ['an answer that does not come', { silent: true }],
    ['a connection that is cut', { cut: true }],
    ['an answer of 503', refusal(503, 'backendError', 'The service is currently unavailable.')],
  ];

  it.each(lost)('is looked up after %s, and sent again where it is not there', async (_, answer) => {
    const google = await ready(({ path }, nth) => {
      if (path === '/jobs') return nth === 1 ? { ...answer, ...(answer.cut && { status: 500 }) } : undefined;
      return undefined;
    });
    expect(await google.open().source.ready(QUERY)).toBe(true);
    const [first, second, ...more] = google.sent();
    expect(more).toEqual([]);
    expect(second?.body).toEqual(first?.body);
    const { jobId } = first?.body.jobReference ?? {};
    const lookUp = google.requests.find(({ path }) => path === `/jobs/${jobId}`);
    expect(lookUp?.query.get('location')).toBe('EU');
  });

  it('is not sent again where it runs', async () => {
    // The server did what was asked, and its answer was lost.
    const google = await ready(({ path }) => (path === '/jobs' ? { cut: true } : undefined));
    expect(await google.open().source.ready(QUERY)).toBe(true);
    expect(google.sent()).toHaveLength(1);
  });

  it('is another process’s where its id exists, and is waited for', async () => {
    let looks = 0;
    const google = await ready(({ path }) => {
      if (path === '/jobs') return refusal(409, 'duplicate', 'Already Exists: Job project:EU.x');
      if (!path.startsWith('/jobs/')) return undefined;
      looks += 1;
      const jobReference = { projectId: 'project', jobId: path.slice('/jobs/'.length), location: 'EU' };
      return { body: { jobReference, status: { state: looks < 3 ? 'RUNNING' : 'DONE' } } };
    });
    expect(await google.open().source.ready(QUERY)).toBe(true);
    expect(google.sent()).toHaveLength(1);
    expect(looks).toBe(3);
  });
});

describe('a job that fails', () => {
  it('is run again under another id where Google asks for it', async () => {
    const google = await ready(({ path, body }, nth) =>
      path === '/jobs' && nth < 3
        ? { body: { ...body, status: failed(nth === 1 ? 'backendError' : 'jobRateLimitExceeded', 'try again') } }
        : undefined,
    );
    expect(await google.open().source.ready(QUERY)).toBe(true);
    const ids = google.sent().map(({ body }) => body.jobReference.jobId);
    expect(ids).toEqual([ids[0], `${ids[0]}_1`, `${ids[0]}_2`]);
  });

  const refusals: [reason: string, message: string, kind: string, hint: RegExp][] = [
    ['accessDenied', 'Access Denied: Table project:home.users: User does not have permission', 'permission', /roles\/bigquery/],
    ['invalidQuery', 'Syntax error: Unexpected keyword at [1:1]', 'configuration', /BigQuery console/],
    ['notFound', 'Not found: Dataset project:home was not found in location US', 'configuration', /location=/],
    ['bytesBilledLimitExceeded', 'Query exceeded limit for bytes billed: 10. 20 or higher required.', 'refused', /max_bytes/],
    ['quotaExceeded', 'Quota exceeded: Your project exceeded quota for query bytes', 'unavailable', /later/],
    ['backendError', 'try again', 'unavailable', /same command again/],
    ['stopped', 'Job execution was cancelled: Job timed out', 'unavailable', /same command again/],
  ];

  it.each(refusals)('for %s says so', async (reason, message, kind, hint) => {
    const google = await ready(({ path, body }) =>
      path === '/jobs' ? { body: { ...body, status: failed(reason, message) } } : undefined,
    );
    await expect(google.open().source.ready(QUERY)).rejects.toMatchObject({
      kind,
      hint: expect.stringMatching(hint),
      details: [expect.stringContaining(message)],
    });
    const again = reason === 'quotaExceeded' || reason === 'backendError';
    expect(google.sent()).toHaveLength(again ? 4 : 1);
  });

  const answers: [Answer, kind: string][] = [
    [
      refusal(403, 'accessDenied', 'Access Denied: Project project: User does not have bigquery.jobs.create permission'),
      'permission',
    ],
    [refusal(401, 'authError', 'Request had invalid authentication credentials.'), 'permission'],
    [refusal(404, 'notFound', 'Not found: Project project'), 'configuration'],
    [refusal(403, 'quotaExceeded', 'Quota exceeded'), 'unavailable'],
    [refusal(429, 'rateLimitExceeded', 'Exceeded rate limits'), 'unavailable'],
    [refusal(500, 'internalError', 'Internal error'), 'unavailable'],
    [{ cut: true, status: 500 }, 'unavailable'],
  ];

  it.each(answers)('before it is a job says so: %o', async (answer, kind) => {
    const google = await ready(({ path }) => (path === '/jobs' ? answer : undefined));
    await expect(google.open().source.ready(QUERY)).rejects.toMatchObject({ kind, hint: expect.any(String) });
    expect(google.sent()).toHaveLength(kind === 'unavailable' ? 4 : 1);
  });
});

it('a job that runs is cancelled when the run is stopped, and the reason is what is thrown', async () => {
  const interruption = new AbortController();
  const reason = new Error('told to');
  const google = await ready(({ path, body, method }) => {
    if (path.endsWith('/cancel')) return { body: {} };
    if (method === 'GET' && path.startsWith('/jobs/')) interruption.abort(reason);
    return path.startsWith('/jobs')
      ? { body: { jobReference: body.jobReference ?? { jobId: path.slice(6) }, status: { state: 'RUNNING' } } }
      : undefined;
  });
  await expect(google.open({ signal: interruption.signal }).source.ready(QUERY)).rejects.toBe(reason);
  const { jobId } = google.sent()[0]?.body.jobReference ?? {};
  expect(google.requests.at(-1)).toMatchObject({ method: 'POST', path: `/jobs/${jobId}/cancel` });
  expect(google.requests.at(-1)?.query.get('location')).toBe('EU');
});

it('a server that is not there is said to be unavailable, after some tries', async () => {
  const google = await ready(() => undefined);
  const environment = { BIGQUERY_EMULATOR_HOST: 'http://127.0.0.1:1' };
  const warehouse = google.open({ environment });
  await expect(warehouse.reach()).rejects.toMatchObject({ kind: 'unavailable', hint: expect.stringContaining('network') });
  expect(google.requests).toEqual([]);
});

it('runs carry labels, and never more than one statement costs', async () => {
  const google = await ready(() => undefined);
  await google.open({ job: 'Weekly Churn!', maxBytes: 5e10 }).source.ready(QUERY);
  const [sent] = google.sent();
  expect(sent?.body.configuration).toMatchObject({
    labels: { created_by: 'score-batch', job: expect.stringMatching(/^[a-z0-9_-]{1,63}$/) },
    jobTimeoutMs: '21600000',
    query: {
      useLegacySql: false,
      maximumBytesBilled: '50000000000',
      defaultDataset: { projectId: 'project', datasetId: 'home' },
    },
  });
});

import { expect, it } from 'vitest';
import type { LedgerEntry } from '../../../src/domain/ledger.ts';
import type { Column } from '../../../src/domain/schema.ts';
import { tablesOf } from '../../../src/domain/tables.ts';
import type { PublicationSpec } from '../../../src/warehouse/publication-spec.ts';
import { type Answer, failed, fakeGoogle, type Recorded, refusal } from './fake-google.ts';

// Google's documented answers, unproven on BigQuery itself; see fake-google.ts.

const KEY: Column = { name: 'user_id', type: 'integer', native: 'INT64' };
const COUNTRY: Column = { name: 'country', type: 'string', native: 'STRING' };
const ENTRY: LedgerEntry = {
  recordedAt: '2026-11-23T08:00:00.000Z',
  runId: 'mine',
  job: 'weekly',
  window: { label: '2026-W47', start: '2026-11-16T05:00:00.000Z', end: '2026-11-23T05:00:00.000Z', kind: 'week' },
  state: 'published',
  fingerprint: 'f',
  model: { name: 'linear', version: '1', digest: 'd' },
  rows: { frozen: 10, scored: 10, quarantined: 0 },
  host: 'here',
  details: { sql: "it's \\ one\nand\ttwo" },
};
const NAMES = {
  scores: ['marketing', 'scores'],
  quarantine: ['marketing', 'scores_quarantine'],
  ledger: ['marketing', 'score_batch_ledger'],
  report: undefined,
  summary: undefined,
};
const SPEC: PublicationSpec = {
  entry: ENTRY,
  supersedes: undefined,
  history: 1,
  overlaps: [],
  sharedTables: false,
  pinned: [
    { chunk: 0, attempt: 'aaaa', rows: 10, scored: 10, checksum: '1', provider: 'cpu', facts: undefined, content: '7 0' },
  ],
  tables: tablesOf(NAMES, { key: [KEY], keep: [COUNTRY], scoreColumn: 'score' }),
  key: [KEY],
  keep: [COUNTRY],
  bands: { by: 'share', bounds: [{ name: 'high', bound: 100_000 }], rest: 'low' },
  segments: [],
  reported: false,
  scored: 10,
};
const CONCURRENT =
  'Query error: Transaction is aborted due to concurrent update against table project:marketing.score_batch_lock_weekly. Transaction ID: x at [2:1]';

/** A server whose ledger is empty, but for what `special` says of publishing scripts, counted from 1. */
async function sink(special: (request: Recorded, nth: number) => Answer | undefined) {
  let scripts = 0;
  return await fakeGoogle((request) => {
    if (isScript(request)) scripts += 1;
    return special(request, scripts);
  });
}

function isScript({ path, body }: Recorded): boolean {
  return path === '/jobs' && body.configuration.query.query.startsWith('BEGIN TRANSACTION');
}

it('publishes by one script: the gate, the check, all deletions and insertions, the ledger', async () => {
  const google = await sink(() => undefined);
  expect(await google.open().sink.publish(SPEC)).toBe(true);
  const [script, ...more] = google.sent().filter(isScript);
  expect(more).toEqual([]);
  const { jobReference, configuration } = script?.body ?? {};
  expect(jobReference.jobId).toMatch(/^score_batch_publish_[0-9a-f]{16}$/);
  expect(configuration.labels).toMatchObject({ job: 'weekly', run: 'mine' });
  const statements: string[] = configuration.query.query.split(/;\n/);
  expect(
    statements.map((statement) =>
      statement
        .trim()
        .split(/[\s(]+/)
        .slice(0, 3)
        .join(' '),
    ),
  ).toEqual([
    'BEGIN TRANSACTION',
    'UPDATE `project`.`marketing`.`score_batch_lock_weekly` SET',
    'SELECT IF COALESCE',
    // Nothing near this window, of another job or of a second digest was published since.
    'SELECT IF SELECT',
    'DELETE FROM `project`.`marketing`.`scores`',
    'DELETE FROM `project`.`marketing`.`scores_quarantine`',
    'INSERT INTO `project`.`marketing`.`scores`',
    'INSERT INTO `project`.`marketing`.`scores_quarantine`',
    'SELECT IF SELECT',
    'SELECT IF SELECT',
    'INSERT INTO `project`.`marketing`.`score_batch_ledger`',
    'COMMIT TRANSACTION;',
  ]);
  expect(configuration.query.query).toContain(String.raw`"sql":"it\'s \\\\ one\\nand\\ttwo"`);
});

it('makes tables by day of the window and clustered by key, where they are missing', async () => {
  const google = await sink(({ path, method }) =>
    method === 'GET' && path.includes('/tables/') ? refusal(404, 'notFound') : undefined,
  );
  await google.open().sink.publish(SPEC);
  const made = google.requests.filter(({ method, path }) => method === 'POST' && path === '/datasets/marketing/tables');
  expect(made.map(({ body }) => [body.tableReference.tableId, body.timePartitioning, body.clustering])).toEqual([
    ['score_batch_ledger', { type: 'DAY', field: 'window_start' }, { fields: ['job'] }],
    ['scores', { type: 'DAY', field: 'window_start' }, { fields: ['user_id'] }],
    ['scores_quarantine', { type: 'DAY', field: 'window_start' }, { fields: ['user_id'] }],
  ]);
  expect(made[1]?.body.schema.fields.slice(0, 3)).toEqual([
    { name: 'user_id', type: 'INT64' },
    { name: 'country', type: 'STRING' },
    { name: 'score', type: 'NUMERIC', precision: '7', scale: '6' },
  ]);
});

it('publishes again, under another id, where its transaction lost against another one', async () => {
  const google = await sink((request, nth) =>
    isScript(request) && nth < 3 ? { body: { ...request.body, status: failed('invalidQuery', CONCURRENT) } } : undefined,
  );
  expect(await google.open().sink.publish(SPEC)).toBe(true);
  const ids = google
    .sent()
    .filter(isScript)
    .map(({ body }) => body.jobReference.jobId);
  expect(ids).toEqual([ids[0], `${ids[0]}_1`, `${ids[0]}_2`]);
});

it('gives up where others never let it through', async () => {
  const google = await sink((request) =>
    isScript(request) ? { body: { ...request.body, status: failed('invalidQuery', CONCURRENT) } } : undefined,
  );
  await expect(google.open().sink.publish(SPEC)).rejects.toMatchObject({ kind: 'conflict' });
  expect(google.sent().filter(isScript)).toHaveLength(4);
});

it('finds the script whose acknowledgement was lost, and does not send it twice', async () => {
  const google = await sink((request) => (isScript(request) ? { cut: true } : undefined));
  expect(await google.open().sink.publish(SPEC)).toBe(true);
  expect(google.sent().filter(isScript)).toHaveLength(1);
});

const RUN = '2026-W47-0123456789ab';

/** The row of the ledger that a publication of the run leaves. */
const PUBLISHED = {
  f: SPEC.tables.ledger.columns.map(({ name }) => {
    const cells: Record<string, string> = {
      run_id: RUN,
      job: 'weekly',
      state: 'published',
      publication: '1',
      window_kind: 'week',
      details: '{}',
    };
    return { v: Object.hasOwn(cells, name) ? cells[name] : name.startsWith('rows_') ? '10' : '2026-11-16 05:00:00.000000' };
  }),
};

/** Another client's script under the id of the publication, and whether the ledger has what it published. */
async function another({ published }: { readonly published: boolean }) {
  let looks = 0;
  const google = await sink(({ path }) => {
    if (path.startsWith('/queries/') && published && looks > 0) return { body: { totalRows: '1', rows: [PUBLISHED] } };
    if (!/^\/jobs\/score_batch_publish_[0-9a-f]+$/.test(path)) return undefined;
    looks += 1;
    const jobReference = { projectId: 'project', jobId: path.slice('/jobs/'.length), location: 'EU' };
    const configuration = { labels: { process: 'another' } };
    return { body: { jobReference, configuration, status: { state: looks < 4 ? 'RUNNING' : 'DONE' } } };
  });
  const spec = { ...SPEC, entry: { ...ENTRY, runId: RUN } };
  return { google, looks: () => looks, end: google.open().sink.publish(spec) };
}

it('waits for the script of a client that died, and publishes nothing itself', async () => {
  const { google, looks, end } = await another({ published: true });
  expect(await end).toBe(false);
  expect(google.sent().filter(isScript)).toEqual([]);
  expect(looks()).toBe(4);
});

it('publishes itself where somebody else’s job is done under that id and nothing is published', async () => {
  const { google, end } = await another({ published: false });
  expect(await end).toBe(true);
  expect(
    google
      .sent()
      .filter(isScript)
      .map(({ body }) => body.jobReference.jobId),
  ).toEqual([expect.stringMatching(/^score_batch_publish_[0-9a-f]+_again1$/)]);
});

it('publishes where the script of a client that died failed', async () => {
  const google = await sink(({ path }) => {
    if (!/^\/jobs\/score_batch_publish_[0-9a-f]+$/.test(path)) return undefined;
    const jobReference = { projectId: 'project', jobId: path.slice('/jobs/'.length), location: 'EU' };
    return { body: { jobReference, status: failed('invalidQuery', CONCURRENT) } };
  });
  expect(await google.open().sink.publish(SPEC)).toBe(true);
  expect(
    google
      .sent()
      .filter(isScript)
      .map(({ body }) => body.jobReference.jobId),
  ).toEqual([expect.stringMatching(/_1$/)]);
});

it.each([
  ['another run', 'other', undefined, 'conflict'],
  ['this very run', 'mine', false, undefined],
])('says who won where the gate shows %s', async (_, published, result, kind) => {
  const message = `Query error: score-batch: <${published}> at [3:8]`;
  const google = await sink((request) =>
    isScript(request) ? { body: { ...request.body, status: failed('invalidQuery', message) } } : undefined,
  );
  const end = google.open().sink.publish(SPEC);
  if (kind === undefined) expect(await end).toBe(result);
  else await expect(end).rejects.toMatchObject({ kind, message: expect.stringContaining('other') });
  expect(google.sent().filter(isScript)).toHaveLength(1);
});

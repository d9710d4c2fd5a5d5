import { expect, it } from 'vitest';
import type { LedgerEntry } from '../../../src/domain/ledger.ts';
import { tablesOf } from '../../../src/domain/tables.ts';
import { failed, fakeGoogle, type Recorded } from './fake-google.ts';

// Google's documented answers, unproven on BigQuery itself; see fake-google.ts.

const NAME = ['marketing', 'score_batch_ledger'];
const LAYOUT = tablesOf(
  { scores: NAME, quarantine: NAME, ledger: NAME, report: undefined, summary: undefined },
  { key: [], keep: [], scoreColumn: 'score' },
).ledger;
const WINDOW = { label: '2026-W47', start: '2026-11-16T05:00:00.000Z', end: '2026-11-23T05:00:00.000Z', kind: 'week' } as const;
const ENTRY: LedgerEntry = {
  recordedAt: '2026-11-23T08:00:00.000Z',
  runId: 'run',
  job: 'weekly',
  window: WINDOW,
  state: 'started',
  fingerprint: 'f',
  model: { name: 'linear', version: '1', digest: 'd' },
  host: 'here',
  details: {},
};

const isScript = ({ path, body }: Recorded) =>
  path === '/jobs' && body.configuration.query.query.startsWith('BEGIN TRANSACTION');

/** A server with an empty ledger whose gate was taken as often as scripts were sent, and which lets through what is not `refused`. */
async function gate(refused: (nth: number) => string | undefined) {
  let scripts = 0;
  let asked = '';
  const google = await fakeGoogle((request) => {
    const { path, body } = request;
    if (path === '/jobs') asked = body.configuration.query.query;
    if (path.startsWith('/queries/') && asked.includes('SELECT CAST(taken')) {
      return { body: { totalRows: '1', rows: [{ f: [{ v: String(scripts) }] }] } };
    }
    if (!isScript(request)) return undefined;
    scripts += 1;
    const message = refused(scripts);
    return message === undefined ? undefined : { body: { ...body, status: failed('invalidQuery', message) } };
  });
  return {
    google,
    scripts: () =>
      google
        .sent()
        .filter(isScript)
        .map(({ body }) => body.configuration.query.query as string),
  };
}

const SUPERSEDED = 'Query error: score-batch: <decided on what was> at [2:8]';

it('decides again where somebody else wrote meanwhile', async () => {
  const { google, scripts } = await gate((nth) => (nth < 3 ? SUPERSEDED : undefined));
  let decisions = 0;
  const result = await google
    .open()
    .ledger(LAYOUT)
    .decide({ job: 'weekly', window: WINDOW }, async () => {
      decisions += 1;
      return { append: ENTRY, result: decisions };
    });
  expect(result).toBe(3);
  expect(scripts().map((script) => /taken FROM \S+\) = (\d+)/.exec(script)?.[1])).toEqual(['0', '1', '2']);
});

it('gives up where others never cease to write', async () => {
  const { google, scripts } = await gate(() => SUPERSEDED);
  const decided = google
    .open()
    .ledger(LAYOUT)
    .decide({ job: 'weekly', window: WINDOW }, async () => ({ append: ENTRY, result: 1 }));
  await expect(decided).rejects.toMatchObject({ kind: 'conflict' });
  expect(scripts()).toHaveLength(20);
});

it('appends under the publish lock, and again if its transaction lost against another one', async () => {
  const { google, scripts } = await gate((nth) =>
    nth === 1 ? 'Transaction is aborted due to concurrent update against table project:marketing.gate' : undefined,
  );
  await google.open().ledger(LAYOUT).append(ENTRY);
  expect(scripts()).toHaveLength(2);
  expect(scripts()[1]).toMatch(/UPDATE `project`.`marketing`.`score_batch_lock_weekly`[\s\S]*INSERT INTO[\s\S]*COMMIT/);
});

it('writes down what happened though the run was told to stop', async () => {
  const { google, scripts } = await gate(() => undefined);
  await google
    .open({ signal: AbortSignal.abort(new Error('told to')) })
    .ledger(LAYOUT)
    .append(ENTRY);
  expect(scripts()).toHaveLength(1);
});

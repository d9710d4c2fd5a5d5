import { expect, it } from 'vitest';
import { type LedgerEntry, ledgerWindow, type RunState } from '../../src/domain/ledger.ts';
import type { RunDetails } from '../../src/domain/run-details.ts';
import type { Job } from '../../src/job/load.ts';
import { parseJob } from '../../src/job/parse.ts';
import { newestPinning } from '../../src/plan/located-job.ts';
import { weekWindow } from '../../src/window/window.ts';

const job = {
  definition: parseJob(
    `
name: churn
model: models:/churn@champion
time_zone: UTC
source: { warehouse: "duckdb:w.duckdb", query: select 1, key: [id] }
sink: { table: m.scores }
`,
    'job.yaml',
    {},
  ),
} as Job;
const window = ledgerWindow(weekWindow('2026-11-16', 'UTC'));
const model = { name: 'churn', version: '1', digest: 'd' };
const named = { ...model, model: 'm', definition_digest: 'd' };

const entry = (runId: string, state: RunState, details: RunDetails = {}): LedgerEntry => ({
  ...{
    runId,
    job: 'churn',
    window,
    fingerprint: 'same',
    model,
    recordedAt: '2026-11-23T00:00:00Z',
    state,
    host: 'here',
    details,
  },
});
const pin = (version: string, uri = 'models:/churn@champion'): RunDetails => ({
  registered: { model: { uri, name: 'churn', alias: 'champion', version, digest: 'd' } },
});

const promotion = { from: named, to: named, windows: [], forced: false, reason: null, refusals: [], user: null };
const delivery = { publication: 1, run_id: 'two', target: 'webhook', occasion: 'published' } as const;
const runs = [
  entry('one', 'started', pin('6')),
  entry('one', 'completed'),
  entry('two', 'started', pin('7')),
  entry('two', 'published'),
];

it.each<[what: string, entries: readonly LedgerEntry[]]>([
  ['a message', [entry('w-webhook-1', 'delivering', { delivery }), entry('w-webhook-1', 'delivered', { delivery })]],
  ['a promotion', [entry('promote-1', 'promoting', { promotion }), entry('promote-1', 'promoted', { promotion })]],
  [
    'a promotion that was refused',
    [entry('promote-1', 'promoting', { promotion }), entry('promote-1', 'refused', { promotion })],
  ],
])('the newest run of a window pins its version whatever %s says after it', (_, entries) => {
  expect(newestPinning(job, [...runs, ...entries])).toMatchObject({
    runId: 'two',
    details: { registered: { model: { version: '7' } } },
  });
});

it('a newer run with another model leaves nothing pinned', () => {
  expect(newestPinning(job, [...runs, entry('three', 'started', pin('8', 'models:/churn/8'))])).toBeUndefined();
  expect(newestPinning(job, [...runs, entry('three', 'started')])).toBeUndefined();
});

import { expect, it } from 'vitest';
import type { LedgerEntry, RunDetails, RunState } from '../../src/domain/ledger.ts';
import { mayDelete } from '../../src/domain/scratch-artifact.ts';

const NOW = Date.parse('2026-11-18T00:00:00Z');
const LATER = '2026-11-20T00:00:00.000Z';
const EARLIER = '2026-11-17T00:00:00.000Z';
const ROWS = { frozen: 1, scored: 1, quarantined: 0 };

let recorded = 0;
function entry(runId: string, state: RunState, details: RunDetails = {}, publication?: number): LedgerEntry {
  const window = { label: '2026-W46', start: '2026-11-09', end: '2026-11-16', kind: 'week' } as const;
  const model = { name: 'm', version: '1', digest: 'd' };
  recorded += 1;
  const recordedAt = new Date(recorded).toISOString();
  const base = { recordedAt, runId, job: 'job', window, state, fingerprint: 'f', model, host: 'h', details };
  return publication === undefined ? base : { ...base, publication, rows: ROWS };
}
const started = (runId: string, supersedes: string | null) => entry(runId, 'started', { supersedes });
const published = (runId: string, publication: number) => entry(runId, 'published', {}, publication);

it.each<[title: string, entries: LedgerEntry[], deadline: string, over: boolean, why: string]>([
  ['of a run that is going on', [started('run', null)], LATER, false, `its run can be gone on with until ${LATER}`],
  [
    'of a run that failed',
    [started('run', null), entry('run', 'failed', {})],
    LATER,
    false,
    `its run can be gone on with until ${LATER}`,
  ],
  ['past its deadline', [started('run', null)], EARLIER, true, `its deadline was ${EARLIER}`],
  [
    'of a refused run',
    [started('run', null), entry('run', 'refused')],
    LATER,
    false,
    `its run was refused and can be looked at until ${LATER}`,
  ],
  ['of a run that nobody knows', [], LATER, false, `the ledger does not know its run; until ${LATER}`],
  ['of a run that nobody knows, past its deadline', [], EARLIER, true, `its deadline was ${EARLIER}`],
  ['of a published run', [started('run', null), published('run', 1)], LATER, true, 'its run has published'],
  [
    'of a completed run that was replaced',
    [started('run', null), published('run', 1), entry('run', 'completed'), started('b', 'run'), published('b', 2)],
    LATER,
    true,
    'its run has published',
  ],
  ['of a skipped run', [started('run', null), entry('run', 'skipped')], LATER, true, 'its run had nothing to score'],
  [
    'of a run that lost a race',
    [started('run', null), started('b', null), published('b', 1)],
    LATER,
    true,
    'b has published the window since its run began',
  ],
  [
    'of a refused run that lost a race',
    [published('a', 1), started('run', 'a'), entry('run', 'refused'), started('b', 'a'), published('b', 2)],
    LATER,
    true,
    'b has published the window since its run began',
  ],
  [
    'of a run that began after what is published now',
    [published('a', 1), started('run', 'a')],
    LATER,
    false,
    `its run can be gone on with until ${LATER}`,
  ],
])('what is left %s', (_title, entries, deadline, over, why) => {
  expect(mayDelete({ name: 'table', run: 'run', deadline }, entries, NOW)).toEqual({ over, why });
});

it.each<[deadline: string | undefined, over: boolean, why: string]>([
  [undefined, true, 'its process is gone'],
  [LATER, false, `a process may still use it; until ${LATER}`],
  [EARLIER, true, `its deadline was ${EARLIER}`],
])('what a process had for itself until %s: may go %s, %s', (deadline, over, why) => {
  expect(mayDelete({ name: 'spill', run: undefined, deadline }, [], NOW)).toEqual({ over, why });
});

it('a mark without a deadline does not let anything of a run go', () => {
  expect(mayDelete({ name: 'table', run: 'run', deadline: undefined }, [started('run', null)], NOW).over).toBe(false);
});

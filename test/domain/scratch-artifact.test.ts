import { expect, it } from 'vitest';
import type { LedgerEntry, RunState } from '../../src/domain/ledger.ts';
import type { RunDetails } from '../../src/domain/run-details.ts';
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

it.each<[title: string, entries: LedgerEntry[], deadline: string, deletable: boolean, why: string]>([
  ['of a run in progress', [started('run', null)], LATER, false, `its run can be resumed until ${LATER}`],
  [
    'of a run that failed',
    [started('run', null), entry('run', 'failed', {})],
    LATER,
    false,
    `its run can be resumed until ${LATER}`,
  ],
  ['past its deadline', [started('run', null)], EARLIER, true, `its deadline was ${EARLIER}`],
  [
    'of a refused run',
    [started('run', null), entry('run', 'refused')],
    LATER,
    false,
    `its run was refused and can be inspected until ${LATER}`,
  ],
  ['of an unknown run', [], LATER, false, `its run is not in the ledger; until ${LATER}`],
  ['of an unknown run, past its deadline', [], EARLIER, true, `its deadline was ${EARLIER}`],
  [
    'of a published run that its challenger still reads',
    [started('run', null), entry('run', 'published', { challenger: 'models/b' }, 1)],
    LATER,
    false,
    `its challenger needs it until the run is completed, or until ${LATER}`,
  ],
  [
    'of a published run that another has superseded before its challenger was through',
    [entry('run', 'published', { challenger: 'models/b' }, 1), started('b', 'run'), published('b', 2)],
    LATER,
    true,
    'its run has published',
  ],
  ['of a published run', [started('run', null), published('run', 1)], LATER, true, 'its run has published'],
  [
    'of a completed run that was superseded',
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
    'b has published the window since its run started',
  ],
  [
    'of a refused run that lost a race',
    [published('a', 1), started('run', 'a'), entry('run', 'refused'), started('b', 'a'), published('b', 2)],
    LATER,
    true,
    'b has published the window since its run started',
  ],
  [
    'of a run that started after the current publication',
    [published('a', 1), started('run', 'a')],
    LATER,
    false,
    `its run can be resumed until ${LATER}`,
  ],
])('judges artifacts %s', (_title, entries, deadline, deletable, why) => {
  expect(mayDelete({ name: 'table', run: 'run', deadline }, entries, NOW)).toEqual({ deletable, why });
});

it.each<[deadline: string | undefined, deletable: boolean, why: string]>([
  [undefined, true, 'its process has ended'],
  [LATER, false, `a process may still use it; until ${LATER}`],
  [EARLIER, true, `its deadline was ${EARLIER}`],
])('judges an artifact of a process with deadline %s: deletable %s, %s', (deadline, deletable, why) => {
  expect(mayDelete({ name: 'spill', run: undefined, deadline }, [], NOW)).toEqual({ deletable, why });
});

it('keeps the artifact of a run if its mark has no deadline', () => {
  expect(mayDelete({ name: 'table', run: 'run', deadline: undefined }, [started('run', null)], NOW).deletable).toBe(false);
});

it("judges what a challenger's run left like what its champion's run left", () => {
  const left = { name: 'left', run: 'run.challenger-0123abcd', deadline: LATER };
  const challenged = [started('run', null), entry('run', 'published', { challenger: 'models/b' }, 1)];
  expect(mayDelete(left, challenged, NOW).deletable).toBe(false);
  expect(mayDelete(left, [...challenged, entry('run', 'completed')], NOW).deletable).toBe(true);
});

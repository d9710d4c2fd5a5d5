import { describe, expect, it } from 'vitest';
import {
  currentPublication,
  isRunId,
  type LedgerEntry,
  ledgerWindow,
  type RunState,
  runsOf,
  unfinishedRun,
} from '../../src/domain/ledger.ts';
import type { RunDetails } from '../../src/domain/run-details.ts';
import { weekWindow } from '../../src/window/window.ts';

const WINDOW = ledgerWindow(weekWindow('2026-11-16', 'Europe/Berlin'));
const ROWS = { frozen: 10, scored: 9, quarantined: 1 };
let minute = 0;

function entry(
  runId: string,
  state: RunState,
  details: RunDetails & { fingerprint?: string; publication?: number } = {},
): LedgerEntry {
  const { fingerprint = 'same', publication, ...rest } = details;
  minute += 1;
  return {
    runId,
    job: 'churn',
    window: WINDOW,
    fingerprint,
    model: { name: 'm', version: '1', digest: 'd' },
    recordedAt: new Date(minute * 60_000).toISOString(),
    state,
    ...(publication !== undefined && { publication, rows: ROWS }),
    host: 'here',
    details: rest,
  };
}

it('stores the window of an entry as text', () => {
  expect(WINDOW).toEqual({
    label: '2026-W47',
    start: '2026-11-15T23:00:00.000Z',
    end: '2026-11-22T23:00:00.000Z',
    kind: 'week',
  });
});

describe('runs from entries', () => {
  it('give each run the state of its last entry and the details of all', () => {
    const entries = [
      entry('one', 'started', { sql: 'select 1', supersedes: null }),
      entry('two', 'started'),
      entry('one', 'published', { publication: 1, chunks: 3 }),
      entry('one', 'completed', { files: ['a.csv'] }),
    ];
    const [one, two] = runsOf(entries);
    expect(one).toMatchObject({
      runId: 'one',
      state: 'completed',
      startedAt: entries[0]?.recordedAt,
      recordedAt: entries[3]?.recordedAt,
      rows: ROWS,
      details: { sql: 'select 1', supersedes: null, chunks: 3, files: ['a.csv'] },
    });
    expect(two).toMatchObject({ runId: 'two', state: 'started', rows: undefined });
    expect(runsOf(entries)).toHaveLength(2);
  });

  it.each([
    [['started', 'failed', 'started'], 'started'],
    [['started', 'started', 'failed'], 'failed'],
    [['started', 'published', 'started'], 'published'],
    [['started', 'published', 'failed'], 'published'],
    [['started', 'completed', 'published'], 'completed'],
    [['started', 'refused', 'failed'], 'refused'],
  ] as const)('%j is %s: a second process does not undo what the first achieved', (states, state) => {
    expect(runsOf(states.map((each) => entry('one', each)))[0]?.state).toBe(state);
  });
});

it('takes the highest publication number as current, whatever was written after it', () => {
  expect(currentPublication([])).toBeUndefined();
  expect(currentPublication([entry('one', 'started'), entry('one', 'refused')])).toBeUndefined();
  const entries = [
    entry('one', 'published', { publication: 1 }),
    entry('three', 'published', { publication: 3 }),
    entry('two', 'published', { publication: 2 }),
    entry('four', 'started'),
    entry('one', 'completed'),
  ];
  expect(currentPublication(entries)).toEqual({ number: 3, runId: 'three', rows: ROWS });
});

describe('the run to resume', () => {
  const unfinished = (...entries: LedgerEntry[]) => unfinishedRun(entries, 'same')?.runId;

  it('has started or failed and has the same fingerprint', () => {
    expect(unfinished()).toBeUndefined();
    expect(unfinished(entry('one', 'started'))).toBe('one');
    expect(unfinished(entry('one', 'started', { supersedes: null }), entry('one', 'failed'))).toBe('one');
    expect(unfinished(entry('one', 'started', { fingerprint: 'other' }))).toBeUndefined();
  });

  it('is the newest of several', () => {
    expect(unfinished(entry('one', 'started'), entry('two', 'started'), entry('one', 'failed'))).toBe('two');
    expect(unfinished(entry('one', 'started'), entry('two', 'started'), entry('two', 'refused'))).toBe('one');
  });

  it('is never a final one', () => {
    expect(unfinished(entry('one', 'started'), entry('one', 'refused'))).toBeUndefined();
    expect(
      unfinished(entry('one', 'started'), entry('one', 'published', { publication: 1 }), entry('one', 'completed')),
    ).toBeUndefined();
  });

  it('is a published one that lacks its report files, until another run is published', () => {
    const published = [entry('one', 'started'), entry('one', 'published', { publication: 1 })];
    expect(unfinishedRun(published, 'same')).toMatchObject({ runId: 'one', state: 'published' });
    expect(unfinished(...published, entry('two', 'published', { publication: 2, fingerprint: 'other' }))).toBeUndefined();
  });

  it('is never one that started before the current publication: it could no longer publish', () => {
    const other = entry('two', 'published', { publication: 1, fingerprint: 'other' });
    const before = entry('one', 'started', { supersedes: null });
    expect(unfinished(before, other)).toBeUndefined();
    expect(unfinished(before, other, entry('three', 'started', { supersedes: 'two' }))).toBe('three');
  });
});

it('rejects run ids that would lead out of a folder', () => {
  const ids = ['2026-W47-0123456789ab', '2026-11-18T09+0100-0123456789ab', '20261118T090000.5Z_20261118T100000Z-0123456789ab'];
  expect(ids.filter((id) => !isRunId(id))).toEqual([]);
  expect(['', '.', '..', '../x', 'a/../../x', '/etc', 'a\\b', '-rf', '.hidden', 'a\0', 'a\n'].filter(isRunId)).toEqual([]);
});

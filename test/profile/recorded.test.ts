import { expect, it } from 'vitest';
import type { LedgerEntry, RunState } from '../../src/domain/ledger.ts';
import type { RunDetails } from '../../src/domain/run-details.ts';
import { comparableRuns } from '../../src/profile/recorded.ts';
import { dayWindow } from '../../src/window/window.ts';

const SECONDS = {
  plan: 1,
  freeze: 0,
  score: 2,
  reconcile: 0.1,
  explain: 0,
  publish: 0.5,
  challenge: 0,
  report: 0.2,
  clean_up: 0,
};
const DETAILS: RunDetails = {
  sql: 'select 1',
  seconds: SECONDS,
  chunks: 1,
  chunks_resumed: 0,
  execution: { provider: 'cpu', devices: ['cpu'], gpu: false, onnxruntime: '1', skipped: [] },
  workers: {
    workers: 2,
    rows: 10,
    seconds: { start: 0, read: 0, encode: 0, model: 0, write: 0, stage: 0, wait: 0 },
    main_thread: 0,
  },
};

interface RunOptions {
  readonly day?: number;
  readonly rows?: number;
  readonly host?: string;
  readonly digest?: string;
  readonly states?: readonly RunState[];
  readonly details?: RunDetails;
  /** Minute in which it begins; by default a day after the other. */
  readonly minute?: number;
  /** Seconds from its first to its last entry. */
  readonly lasts?: number;
}

let runs = 0;

/** Entries of a run of three seconds. */
function run({ rows = 10, host = 'here', digest = 'd', details = {}, lasts = 3, ...more }: RunOptions = {}): LedgerEntry[] {
  runs += 1;
  const { day = 1 + (runs % 28), states = ['started', 'published', 'completed'], minute = runs * 1440 } = more;
  const { label, start, end, kind } = dayWindow(`2026-01-${String(day).padStart(2, '0')}`, 'UTC');
  return states.map((state, i) => ({
    runId: `run-${runs}`,
    job: 'churn',
    window: { label, start: start.toISOString(), end: end.toISOString(), kind },
    fingerprint: 'f',
    model: { name: 'm', version: '1', digest },
    recordedAt: new Date(minute * 60_000 + (i / (states.length - 1)) * lasts * 1000).toISOString(),
    state,
    host,
    rows: { frozen: rows, scored: rows, quarantined: 0 },
    details: i === 0 ? { sql: 'select 1' } : { ...DETAILS, ...details },
  }));
}

const profiled = (...entries: LedgerEntry[][]) => comparableRuns(entries.flat(), { anyHost: false });
const rowsOf = (...entries: LedgerEntry[][]) => profiled(...entries).samples.map(({ rows }) => rows);
const left = (...entries: LedgerEntry[][]) => profiled(...entries).leftOut;

it('takes runs of the setting of the newest run, and its seconds, rows and bytes', () => {
  const { samples, setting, leftOut } = profiled(
    run({ day: 1, rows: 10, details: { estimated_bytes: 7 } }),
    run({ day: 2, rows: 20 }),
  );
  expect(samples).toMatchObject([
    { rows: 10, seconds: SECONDS, bytes: 7, window: { label: '2026-01-01', kind: 'day' } },
    { rows: 20, bytes: undefined },
  ]);
  expect(setting).toEqual({
    ...{ model: { name: 'm', version: '1', digest: 'd' }, host: 'here', provider: 'cpu', devices: ['cpu'] },
    ...{ workers: 2, freezes: false },
  });
  expect(leftOut).toEqual([]);
});

it.each<[string, RunOptions, string]>([
  ['another model', { digest: 'other' }, 'by another model'],
  ['another query', { details: { sql: 'select 2' } }, 'by another query'],
  ['another host', { host: 'there' }, 'on another host'],
  ['a GPU', { details: { execution: { ...known('execution'), provider: 'cuda', devices: ['cuda'] } } }, 'on another device'],
  ['frozen rows', { details: { seconds: { ...SECONDS, freeze: 1 } } }, 'that froze rows first'],
  ['more workers', { details: { workers: { ...known('workers'), workers: 8 } } }, 'another number of workers'],
  ['kept rows', { details: { as_of: { run_id: 'x', frozen: 'y' } } }, 'scored kept rows instead of the source'],
  ['no rows', { rows: 0 }, 'without rows'],
  ['an older version', { details: { execution: undefined } as object }, 'without seconds, rows or execution in the ledger'],
  [
    'an entry of another tool',
    { details: { seconds: { ...SECONDS, plan: '1' } } as object },
    'without seconds, rows or execution in the ledger',
  ],
  ['a refusal', { states: ['started', 'refused'] }, 'not completed'],
  ['a kill', { states: ['started', 'started'] }, 'not completed'],
  [
    'a failure that was resumed',
    { states: ['started', 'failed', 'started', 'published', 'completed'] },
    'done by several processes: resumed, accepted, or in phases',
  ],
  [
    'chunks of an earlier start',
    { details: { chunks_resumed: 1 } },
    'done by several processes: resumed, accepted, or in phases',
  ],
  ['a report by a later process', { lasts: 3600 }, 'done by several processes: resumed, accepted, or in phases'],
])('leaves out a run with %s, and says so', (_, other, why) => {
  const [before, after] = [run({ rows: 10 }), run(other)];
  const newest = run({ rows: 30 });
  expect(rowsOf(before, after, newest)).toEqual([10, 30]);
  expect(left(before, after, newest)).toEqual([{ why, runs: 1 }]);
});

it('leaves out runs that shared the machine', () => {
  const together = [run({ minute: 100_000 }), run({ minute: 100_000 }), run({ minute: 200_000, rows: 30 })];
  expect(rowsOf(...together)).toEqual([30]);
  expect(left(...together)).toEqual([{ why: 'at the same time as another run on its host', runs: 2 }]);
});

it('compares runs of all hosts if told to', () => {
  const entries = [run({ host: 'pod-1' }), run({ host: 'pod-2' })].flat();
  const { samples, setting } = comparableRuns(entries, { anyHost: true });
  expect(samples.length).toBe(2);
  expect(setting?.host).toBe(null);
});

it('takes a run with fewer workers only if it had no more chunks', () => {
  const frozen = (workers: number, chunks: number, rows: number) =>
    run({ rows, details: { chunks, seconds: { ...SECONDS, freeze: 1 }, workers: { ...known('workers'), workers } } });
  const entries = [frozen(4, 9, 90), frozen(2, 2, 20), frozen(2, 9, 91), frozen(1, 1, 10)];
  // The newest run that could have had more workers than it had ran with two.
  expect(rowsOf(...entries)).toEqual([20, 91, 10]);
  expect(profiled(...entries).setting?.workers).toBe(2);
  expect(rowsOf(...entries, frozen(4, 8, 80))).toEqual([90, 20, 10, 80]);
});

it('reads nothing of an empty ledger', () => {
  expect(profiled()).toEqual({ setting: undefined, samples: [], leftOut: [] });
});

function known<K extends 'execution' | 'workers'>(name: K): NonNullable<RunDetails[K]> {
  const value = DETAILS[name];
  if (value === undefined) throw new Error(`no ${name}`);
  return value;
}

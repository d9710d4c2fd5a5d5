import { expect, it, vi } from 'vitest';
import type { Context } from '../../src/context.ts';
import type { LedgerEntry } from '../../src/domain/ledger.ts';
import type { RunDetails } from '../../src/domain/run-details.ts';
import { StageClock } from '../../src/domain/stages.ts';
import { Interrupted, ScoreBatchError } from '../../src/errors.ts';
import { observed, observedBy } from '../../src/observe/observed.ts';
import { CLOSE_MS, type ObservedEnd, type ObservedRun, type RunObserver } from '../../src/observe/observer.ts';
import { closeAll } from '../../src/observe/observers.ts';

const ROWS = { frozen: 10, scored: 9, quarantined: 1 };
const ENTRIES = [{ runId: 'r1', state: 'published', publication: 3, rows: ROWS, details: {} }] as unknown as LedgerEntry[];

function activeRun(entries: () => Promise<LedgerEntry[]> = async () => ENTRIES) {
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const context = { began: -1000, environment: {}, console: { warn: say, debug: say } } as unknown as Context;
  const window = { label: '1997-W11', start: new Date(0), end: new Date(1), kind: 'week', zone: 'UTC' };
  const plan = { job: { definition: { name: 'churn' } }, window, ledger: { entries } };
  const progress = { runId: 'r1', clock: new StageClock(-1000, { score: 5 }), rows: ROWS, details: {} as RunDetails };
  return { active: { plan, context, progress } as unknown as Parameters<typeof observed>[0], progress, said };
}

function recorder() {
  const seen: (ObservedRun | ObservedEnd)[] = [];
  const observer: RunObserver = {
    began: (run) => void seen.push(run),
    ended: (_, end) => void seen.push(end),
    close: async () => undefined,
  };
  return { observer, seen };
}

it('tells of the stages of this process, of the seconds of all, and which publication it became', async () => {
  const { active, progress } = activeRun();
  const { observer, seen } = recorder();
  const result = await observedBy([observer], active, async () => {
    expect(seen).toHaveLength(1);
    progress.clock.enter('score');
    return { state: 'published', more: 1 };
  });
  expect(result).toEqual({ state: 'published', more: 1 });
  const [began, end] = seen as [ObservedRun, ObservedEnd];
  expect(began).toMatchObject({ runId: 'r1', plan: active.plan, began: performance.timeOrigin - 1000 });
  expect(end).toMatchObject({ state: 'published', publication: 3, rows: ROWS });
  expect(end.error).toBeUndefined();
  expect(end.stages.map(({ stage }) => stage)).toEqual(['plan', 'score']);
  expect(end.stages[0]?.began).toBe(began.began);
  expect(end.stages[1]?.ended).toBeLessThanOrEqual(end.ended);
  expect(end.seconds.score).toBeGreaterThanOrEqual(5);
});

it.each([
  [new ScoreBatchError('refused', 'no'), 'refused'],
  [new ScoreBatchError('nothing to score', 'no rows'), 'skipped'],
  [new ScoreBatchError('unavailable', 'gone'), 'failed'],
  [new Interrupted('SIGTERM'), 'failed'],
  [new TypeError('a bug'), 'failed'],
])('tells how the run failed, and lets the error through: %s', async (error, state) => {
  const { active } = activeRun();
  const { observer, seen } = recorder();
  await expect(observedBy([observer], active, () => Promise.reject(error))).rejects.toBe(error);
  expect(seen[1]).toMatchObject({ state, error, publication: undefined });
});

it('calls a part of a run a phase, which asks the ledger for nothing', async () => {
  const { active } = activeRun(() => Promise.reject(new Error('not asked')));
  const { observer, seen } = recorder();
  await observedBy([observer], active, async () => ({ state: 'scored' }));
  expect(seen[1]).toMatchObject({ state: 'phase', publication: undefined });
});

it.each([
  ['another run was published since', async () => ENTRIES.map((entry) => ({ ...entry, runId: 'r2' }))],
  ['the ledger cannot be read', () => Promise.reject(new Error('gone'))],
])('does without the number of the publication if %s', async (_, entries) => {
  const { active } = activeRun(entries);
  const { observer, seen } = recorder();
  await observedBy([observer], active, async () => ({ state: 'already published' }));
  expect(seen[1]).toMatchObject({ state: 'already published', publication: undefined });
});

it('waits for numbers of publications no longer than its time for all runs of the invocation, and not at all for who needs none', async () => {
  let asked = 0;
  const { active } = activeRun(() => {
    asked += 1;
    return new Promise(() => undefined);
  });
  const { observer, seen } = recorder();
  const publish = async () => ({ state: 'published' });
  await observedBy([{ ...observer, needsNoPublication: true }], active, publish);
  expect([asked, seen.length]).toEqual([0, 2]);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const first = observedBy([observer], active, publish);
  await vi.advanceTimersByTimeAsync(CLOSE_MS);
  await first;
  vi.useRealTimers();
  await observedBy([observer], active, publish);
  expect([asked, seen.length]).toEqual([1, 6]);
});

it('does not let an observer that throws fail the run, or hide it from others', async () => {
  const { active, said } = activeRun();
  const { observer, seen } = recorder();
  const broken = () => {
    throw new Error('broken');
  };
  const observers = [{ began: broken, ended: broken, close: async () => undefined }, observer];
  expect(await observedBy(observers, active, async () => ({ state: 'published' }))).toEqual({ state: 'published' });
  expect(seen).toHaveLength(2);
  expect(said).toEqual(Array(2).fill('an observer of the run failed: broken'));
});

it('does without observers what it does with them', async () => {
  expect(await observed(activeRun().active, async () => ({ state: 'published' }))).toEqual({ state: 'published' });
});

it('waits for all observers together, then warns of those that hang, and only of them', async () => {
  const { said } = activeRun();
  const say = (message: string) => void said.push(message);
  const hang = () => new Promise<void>(() => undefined);
  const observers = new Map([
    ['lineage', { close: hang }],
    ['a file', { close: () => Promise.reject(new Error('disk full')) }],
    ['traces', { close: hang }],
  ]);
  vi.useFakeTimers();
  let closed = false;
  const closing = closeAll(observers, { warn: say, debug: say }).then(() => {
    closed = true;
  });
  await vi.advanceTimersByTimeAsync(CLOSE_MS - 1);
  expect(closed).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(closed).toBe(true);
  await closing;
  vi.useRealTimers();
  expect(said).toEqual(['a file: disk full', 'not everything was sent within 2 s: lineage and traces']);
});

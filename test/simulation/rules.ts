import { expect } from 'vitest';
import { currentPublication, type LedgerEntry, type RunState, runsOf } from '../../src/domain/ledger.ts';
import { pinAttempts } from '../../src/domain/reconciliation.ts';
import { countAttempts } from './memory-sink.ts';
import { place } from './place.ts';
import type { SourceRow, World } from './world.ts';

const FINAL: readonly RunState[] = ['refused', 'skipped', 'published', 'completed'];

/**
 * Checks the world after every ledger entry and report.
 *
 * @returns the violations so far. They are collected, since the process at fault may be dead and cannot throw them.
 */
export function watch(world: World): unknown[] {
  const wrong: unknown[] = [];
  const looking =
    <T>(look: (found: T) => void) =>
    (found: T): void => {
      try {
        look(found);
      } catch (error) {
        wrong.push(error);
      }
    };
  const pictures = keepPictures(world);
  world.onEntry = looking((entry) => {
    const earlier = world.ledger.slice(0, -1);
    const own = earlier.filter(({ runId }) => runId === entry.runId).map(({ state }) => state);
    // Freezing adds a second `started` entry.
    if (entry.state === 'started' && entry.details.sql !== undefined) expectStarted(entry, earlier, own);
    if (entry.state === 'failed') expectFailed(entry, own);
    if (entry.state === 'refused') expect(isBad(pictures.get(entry.runId) ?? [])).toBe(true);
    if (entry.state !== 'published') return;
    expect(own).not.toContain('published');
    expect(entry.publication).toBe((currentPublication(earlier)?.number ?? 0) + 1);
    expectPublished(world, entry, pictures.get(entry.runId) ?? []);
  });
  world.onReport = (number, replaced) => looking(() => expect(number).toBeGreaterThanOrEqual(replaced))(undefined);
  return wrong;
}

/** The rows that each run froze. */
function keepPictures({ scratch: { frozen } }: World): Map<string, readonly SourceRow[]> {
  const pictures = new Map<string, readonly SourceRow[]>();
  const set = frozen.set.bind(frozen);
  frozen.set = (runId, table) => {
    pictures.set(runId, table.rows);
    return set(runId, table);
  };
  return pictures;
}

/** No final run is resumed, and no new run starts while the published one only lacks its report. */
function expectStarted(entry: LedgerEntry, earlier: readonly LedgerEntry[], own: readonly RunState[]): void {
  expect(own.filter((state) => FINAL.includes(state))).toEqual([]);
  const newest = runsOf(earlier).findLast(({ fingerprint }) => fingerprint === entry.fingerprint);
  const unreported = newest?.state === 'published' && newest.runId === currentPublication(earlier)?.runId;
  if (own.length === 0 && !place().fresh) expect(unreported).toBe(false);
}

/** A process does not fail if another one published its run, unless it was too early or could not find out. */
function expectFailed({ details }: LedgerEntry, own: readonly RunState[]): void {
  const { faults } = place().process;
  if (details.error?.includes('has no complete attempt')) return;
  if (!faults.some(({ kind }) => kind.endsWith('lost'))) expect(own).not.toContain('published');
}

/** If a process ends with success after scoring, every chunk of the run is staged, or the run is published. */
export function expectScored({ ledger, scratch }: World, runId: string): void {
  const table = scratch.manifests.get(runId)?.table;
  const attempts = countAttempts(scratch.staged.get(runId)?.rows ?? []);
  const isPublished = ledger.some((entry) => entry.runId === runId && entry.state === 'published');
  if (!isPublished) expect(table === undefined ? [] : pinAttempts(table, attempts).missing).toEqual([]);
}

/** The tables hold the rows that one run froze, each once, and nothing else. */
export function expectPublished(world: World, entry: LedgerEntry, picture: readonly SourceRow[]): void {
  const { runId, fingerprint, rows } = entry;
  const byKey = (a: SourceRow, b: SourceRow) => (a.key < b.key ? -1 : 1);
  const published = [...world.scores, ...world.quarantine].sort(byKey);
  expect(published).toEqual(picture.map((row) => ({ ...row, model: fingerprint, runId })).sort(byKey));
  expect(rows).toEqual({ frozen: picture.length, scored: world.scores.length, quarantined: world.quarantine.length });
}

/** Whether the job's gates refuse the rows: too few, or too many that cannot be scored. */
function isBad(picture: readonly SourceRow[]): boolean {
  const rejected = picture.filter(({ value }) => value < 0).length;
  return picture.length < 2 || rejected > picture.length / 2;
}

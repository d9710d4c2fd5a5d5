import { expect, it } from 'vitest';
import { findGaps } from '../../src/commands/status-gaps.ts';
import { ledgerWindow } from '../../src/domain/ledger.ts';
import type { PublishedEntry } from '../../src/domain/publications.ts';
import type { Grain } from '../../src/domain/window.ts';
import { windowsBetween } from '../../src/window/bulk.ts';

const NOW = Date.parse('2026-11-24T08:00:00Z');
const BERLIN = 'Europe/Berlin';

function published(grain: Grain, [from, to]: readonly [string, string], without: readonly string[] = [], zone = BERLIN) {
  return windowsBetween({ from, to }, grain, zone, NOW)
    .filter(({ label }) => !without.includes(label))
    .map((window) => ({ window: ledgerWindow(window) }) as PublishedEntry);
}

function gaps(
  entries: readonly PublishedEntry[],
  grain: Grain,
  more: { since?: number; limit?: number; zone?: string; now?: number } = {},
) {
  return findGaps(entries, { grain, zone: BERLIN, now: NOW, since: undefined, limit: 20, jobFlag: '', ...more });
}

const labelsOf = ({ windows }: ReturnType<typeof gaps>) => windows.map(({ window }) => window);

it('finds the windows between the first publication and the last complete window', () => {
  const found = gaps(published('week', ['2026-W40', '2026-W45'], ['2026-W42', '2026-W43']), 'week');
  expect(labelsOf(found)).toEqual(['2026-W42', '2026-W43', '2026-W46', '2026-W47']);
  expect(found).toMatchObject({ total: 4, backfill: 'score-batch backfill --from 2026-W42 --to 2026-W47' });
  expect(found.windows[0]).toEqual({
    window: '2026-W42',
    flags: '--week 2026-W42',
    start: '2026-10-11T22:00:00.000Z',
    end: '2026-10-18T22:00:00.000Z',
  });
  expect(gaps([], 'week')).toEqual({ windows: [], total: 0, backfill: null });
  expect(gaps(published('week', ['2026-W40', '2026-W47']), 'week').backfill).toBeNull();
  // A publication of another grain fills nothing.
  expect(
    labelsOf(gaps([...published('week', ['2026-W46', '2026-W46']), ...published('day', ['2026-11-16', '2026-11-22'])], 'week')),
  ).toEqual(['2026-W47']);
});

it('names the newest only, and none before a time', () => {
  const found = gaps(published('day', ['2026-11-01', '2026-11-01']), 'day', { limit: 2 });
  expect(found).toMatchObject({ total: 22, backfill: 'score-batch backfill --from 2026-11-02 --to 2026-11-23' });
  expect(labelsOf(found)).toEqual(['2026-11-22', '2026-11-23']);
  const since = Date.parse('2026-11-20T12:00:00Z');
  expect(labelsOf(gaps(published('day', ['2026-11-01', '2026-11-01']), 'day', { since }))).toEqual([
    '2026-11-21',
    '2026-11-22',
    '2026-11-23',
  ]);
});

it('knows the hours that the clocks skip and show twice', () => {
  const autumn = published('hour', ['2026-10-25T00', '2026-10-25T00']);
  expect(labelsOf(gaps(autumn, 'hour', { now: Date.parse('2026-10-25T03:10:00Z') }))).toEqual([
    '2026-10-25T01',
    '2026-10-25T02+0200',
    '2026-10-25T02+0100',
    '2026-10-25T03',
  ]);
  const spring = published('hour', ['2026-03-29T00', '2026-03-29T00']);
  expect(labelsOf(gaps(spring, 'hour', { now: Date.parse('2026-03-29T02:10:00Z') }))).toEqual([
    '2026-03-29T01',
    '2026-03-29T03',
  ]);
});

it('does not take windows for missing whose users are published by the clock of another zone', () => {
  const before = published('week', ['2026-W44', '2026-W45'], [], 'America/New_York');
  expect(labelsOf(gaps(before, 'week'))).toEqual(['2026-W47']);
  expect(labelsOf(gaps([...before, ...published('week', ['2026-W46', '2026-W47'])], 'week'))).toEqual([]);
});

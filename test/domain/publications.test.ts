import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currentPublication, type LedgerEntry, ledgerWindow, runsOf } from '../../src/domain/ledger.ts';
import { currentEntries, isSameWindow, nextNumber, overlapping, supersededEntry } from '../../src/domain/publications.ts';
import type { Window } from '../../src/domain/window.ts';
import { dayWindow, hourWindow, weekWindow, windowOf } from '../../src/window/window.ts';

const ROWS = { frozen: 10, scored: 10, quarantined: 0 };
const ZONES = ['America/New_York', 'Europe/Berlin', 'Pacific/Kiritimati', 'Asia/Kolkata'];
const NEW_YORK = weekWindow('1997-03-10', 'America/New_York');
const BERLIN = weekWindow('1997-03-10', 'Europe/Berlin');

function published(runId: string, window: Window, publication: number): LedgerEntry {
  return {
    recordedAt: '1997-03-17T08:00:00.000Z',
    runId,
    job: 'churn',
    window: ledgerWindow(window),
    state: 'published',
    publication,
    rows: ROWS,
    fingerprint: 'f',
    model: { name: 'm', version: '1', digest: 'd' },
    host: 'here',
    details: {},
  };
}

function clashes(one: Window, other: Window): boolean {
  return overlapping([published('run', one, 1)], ledgerWindow(other)).length > 0;
}

describe('windows that must not stand beside each other', () => {
  it('have one label, or one grain and instants in common', () => {
    expect(clashes(NEW_YORK, BERLIN)).toBe(true);
    expect(clashes(weekWindow('1997-03-03', 'America/New_York'), BERLIN)).toBe(true);
    expect(clashes(weekWindow('1997-03-03', 'Europe/Berlin'), BERLIN)).toBe(false);
    // Hours of one name, half a day apart.
    const hour = (zone: string) =>
      hourWindow(Date.parse(zone === 'UTC' ? '1997-03-10T09:00:00Z' : '1997-03-10T14:00:00Z'), zone);
    expect(clashes(hour('UTC'), hour('America/New_York'))).toBe(true);
  });

  it('are not those of another grain, nor ad hoc ones of other labels, nor the window itself', () => {
    expect(clashes(NEW_YORK, dayWindow('1997-03-12', 'America/New_York'))).toBe(false);
    const range = (from: string, to: string, zone: string) => windowOf(Date.parse(from), Date.parse(to), zone);
    const ranges = ['1997-03-11T05:00:00Z', '1997-03-12T05:00:00Z'].map((from) =>
      range(from, '1997-03-15T05:00:00Z', 'America/New_York'),
    ) as [Window, Window];
    expect(clashes(...ranges)).toBe(false);
    expect(clashes(NEW_YORK, NEW_YORK)).toBe(false);
  });

  it('are never two that a user would be counted in under one label, whatever the zones', () => {
    const day = fc.integer({ min: 0, max: 5_000 }).map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10));
    fc.assert(
      fc.property(day, fc.constantFrom(...ZONES), fc.constantFrom(...ZONES), (date, zone, other) => {
        const [one, two] = [dayWindow(date, zone), dayWindow(date, other)];
        expect(clashes(one, two)).toBe(one.start.getTime() !== two.start.getTime());
        expect(clashes(two, one)).toBe(clashes(one, two));
      }),
      { numRuns: 200 },
    );
  });
});

it('a replaced publication is over for everybody who asks for its window, and can be published again', () => {
  const [old, other] = [published('old', NEW_YORK, 1), published('other', BERLIN, 3)];
  const number = nextNumber([old, other], other.window, [old]);
  expect(number).toBe(4);
  expect(nextNumber([old, other], old.window, [])).toBe(2);
  const by = { ...published('new', BERLIN, number), recordedAt: '1997-03-18T08:00:00.000Z' };
  const entries = [old, other, supersededEntry(old, by), by];
  const own = entries.filter(({ window }) => isSameWindow(window, old.window));
  expect(currentPublication(own)).toBeUndefined();
  expect(runsOf(own)).toMatchObject([
    { runId: 'old', state: 'superseded', rows: ROWS, details: { superseded_by: { run_id: 'new', label: '1997-W11' } } },
  ]);
  expect(currentEntries(entries).map(({ runId }) => runId)).toEqual(['new']);
  expect(overlapping(entries, old.window).map(({ runId }) => runId)).toEqual(['new']);
  expect(nextNumber(entries, old.window, [by])).toBe(5);
});

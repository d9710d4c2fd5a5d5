import { describe, expect, it } from 'vitest';
import { showQuery } from '../../src/domain/query.ts';
import { bindLabels, bindWindow } from '../../src/job/parameters.ts';
import { presentError } from '../../src/terminal/error.ts';
import { hourWindow, weekWindow } from '../../src/window/window.ts';

const WEEK = weekWindow('2026-10-19', 'Europe/Berlin');
const HOUR = hourWindow(Date.parse('2026-11-18T08:00:00Z'), 'Europe/Berlin');

it('binds instants, wall-clock times and dates of the window', () => {
  const sql = `select :window_start, :window_end, :window_start_local, :window_end_local, :window_start_date, :window_end_date`;
  const { texts, parameters } = bindWindow(sql, WEEK, 'q.sql', 'duckdb');
  expect(texts).toEqual(['select ', ', ', ', ', ', ', ', ', ', ', '']);
  expect(parameters).toEqual([
    { name: 'window_start', type: 'timestamp', value: '2026-10-18T22:00:00.000Z' },
    { name: 'window_end', type: 'timestamp', value: '2026-10-25T23:00:00.000Z' },
    { name: 'window_start_local', type: 'datetime', value: '2026-10-19T00:00:00.000' },
    { name: 'window_end_local', type: 'datetime', value: '2026-10-26T00:00:00.000' },
    { name: 'window_start_date', type: 'date', value: '2026-10-19' },
    { name: 'window_end_date', type: 'date', value: '2026-10-26' },
  ]);
});

describe('binds parameters in code', () => {
  it.each([
    ['at >=:window_start', 1],
    ['f(:window_start,:window_end)', 2],
    ['cast(:window_start as date)', 1],
    [':window_start::date', 1],
    ['at - :window_start', 1],
    ["at > 'x' and at >= :window_start", 1],
    ["at > '' and at >= :window_start", 1],
    ["at > 'it''s' and at >= :window_start", 1],
    ["at > 'C:\\' and at >= :window_start", 1],
    ['"odd "" name" >= :window_start', 1],
    ['at >= :window_start -- :window_end', 1],
    ['-- it’s\nat >= :window_start', 1],
    ["-- it's\nat >= :window_start", 1],
    ["/* it's */ at >= :window_start", 1],
    ['$$it is$$ >= :window_start', 1],
  ])('%s', (sql, count) => {
    const query = bindWindow(sql, WEEK, 'q.sql', 'duckdb');
    expect(query.parameters).toHaveLength(count);
    expect(showQuery(query)).toBe(sql);
  });
});

describe('leaves text that is not code, and other uses of the colon', () => {
  it.each([
    "':window_start'",
    "'it''s :window_start'",
    "E'it\\'s :window_start'",
    "'unclosed :window_start",
    '":window_start"',
    '"a "" :window_start"',
    '-- :window_start',
    '/* :window_start */',
    '/* :window_start',
    '$$ :window_start $$',
    '$tag$ $$ :window_start $$ $tag$',
    'a::window_start',
    'list[1:window_end]',
    'list[a:window_end]',
    'row[1]:window_start',
    'payload:window_start',
    '"payload":window_start',
    'at >= :windows',
  ])('%s', (sql) => {
    expect(bindWindow(sql, WEEK, 'q.sql', 'duckdb')).toEqual({ name: 'q.sql', texts: [sql], parameters: [] });
  });
});

function refused(sql: string, window = WEEK): string {
  try {
    bindWindow(sql, window, 'jobs/q.sql', 'duckdb');
  } catch (error) {
    const { text, exitCode } = presentError(error);
    return `${text}\nexit code ${exitCode}`;
  }
  return 'not refused';
}

it('refuses an unknown parameter with a suggestion, and dates for a window without whole days', () => {
  const shown = [
    refused('select :window_strat'),
    refused('select :window_ :window_start'),
    refused('select :window_start_date', HOUR),
    refused('select :window_end_date', { ...HOUR, label: 'ad hoc' }),
  ];
  expect(shown.join('\n\n')).toMatchInlineSnapshot(`
    "error: jobs/q.sql uses the unknown parameter :window_strat
    hint: did you mean window_start?
    exit code 78

    error: jobs/q.sql uses the unknown parameter :window_
    hint: choose from window_start, window_end, window_start_local, window_end_local, window_start_date, window_end_date
    exit code 78

    error: jobs/q.sql uses :window_start_date, but the window 2026-11-18T09 does not consist of whole days
    hint: choose whole days, or use :window_start and :window_end in the query
    exit code 64

    error: jobs/q.sql uses :window_end_date, but the window ad hoc does not consist of whole days
    hint: choose whole days, or use :window_start and :window_end in the query
    exit code 64"
  `);
});

it('binds the time of the labels beside the window: from its end on, so many days in the zone', () => {
  const sql = 'select :label_start, :label_end, :label_end_local, :label_start_date, :label_end_date, :window_start_date';
  const binding = { after: 28, name: 'labels.query', kind: 'duckdb' } as const;
  const valuesOf = (window: typeof WEEK) =>
    bindLabels(sql, { ...binding, window }).parameters.map(({ name, value }) => `${name} ${value}`);
  // The clocks of Berlin go back on the last day of the week, those of New York forward 27 days after it.
  expect(valuesOf(WEEK)).toEqual([
    'label_start 2026-10-25T23:00:00.000Z',
    'label_end 2026-11-22T23:00:00.000Z',
    'label_end_local 2026-11-23T00:00:00.000',
    'label_start_date 2026-10-26',
    'label_end_date 2026-11-23',
    'window_start_date 2026-10-19',
  ]);
  expect(valuesOf(weekWindow('1997-03-03', 'America/New_York')).slice(0, 2)).toEqual([
    'label_start 1997-03-10T05:00:00.000Z',
    'label_end 1997-04-07T04:00:00.000Z',
  ]);
  const ofHour = bindLabels('select :label_end', { ...binding, window: HOUR });
  expect(ofHour.parameters).toEqual([{ name: 'label_end', type: 'timestamp', value: '2026-12-16T09:00:00.000Z' }]);
  // An hour that the clocks skip on its last day.
  const skipped = hourWindow(Date.parse('2026-02-27T00:30:00Z') - 1_800_000, 'Europe/Berlin');
  expect(bindLabels('select :label_end', { ...binding, after: 30, window: skipped }).parameters[0]?.value).toBe(
    '2026-03-29T01:00:00.000Z',
  );
  expect(() => bindLabels('select :label_stop', { ...binding, window: WEEK })).toThrow('unknown parameter :label_stop');
  expect(() => bindLabels('select :label_end_date', { ...binding, window: HOUR })).toThrow('the window 2026-11-18T09');
  // Only the queries of labels know them.
  expect(bindWindow('select :label_start', WEEK, 'q.sql', 'duckdb').parameters).toEqual([]);
});

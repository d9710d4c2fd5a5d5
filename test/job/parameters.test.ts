import { describe, expect, it } from 'vitest';
import { showQuery } from '../../src/domain/query.ts';
import { bindWindow } from '../../src/job/parameters.ts';
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

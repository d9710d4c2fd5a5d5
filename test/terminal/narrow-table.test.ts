import { expect, it } from 'vitest';
import { alignTable } from '../../src/terminal/table.ts';

const HEADER = ['window', 'state', 'started', 'rows', 'run'];
const ROWS = [
  ['2026-W47', 'published *', '2026-11-23 06:00', '1,000,000', '2026-W47-0123456789ab'],
  ['2026-W48', 'failed', '2026-11-30 06:00', '', '2026-W48-ba9876543210'],
];
const WORDS = new Set([HEADER, ...ROWS].flat().flatMap((cell) => cell.split(' ')));

const important = ['state', 'rows'];

it.each([
  [120, HEADER],
  [73, HEADER],
  [72, ['window', 'state', 'started', 'rows']],
  [50, ['window', 'state', 'started', 'rows']],
  [49, ['window', 'state', 'rows']],
  [30, ['window', 'state']],
  // Less than these two would say nothing.
  [10, ['window', 'state']],
])('shows at a width of %i the columns %j', (width, headings) => {
  const [head = '', ...lines] = alignTable(HEADER, ROWS, { important, width }).split('\n');
  expect(head.split(/ {2,}/)).toEqual(headings);
  const left = HEADER.length - headings.length;
  const note = `${left} ${left === 1 ? 'column' : 'columns'} left out: the terminal is ${width} wide; --json has all`;
  expect(lines.slice(ROWS.length)).toEqual(left === 0 ? [] : [note]);
  const table = [head, ...lines.slice(0, ROWS.length)];
  if (width >= 30) expect(Math.max(...table.map((line) => line.length))).toBeLessThanOrEqual(width);
  // No word is split or cut.
  for (const word of table.join(' ').split(/ +/)) expect(WORDS).toContain(word);
});

it('leaves out the last columns first where none is named', () => {
  const [head] = alignTable(HEADER, ROWS, { width: 50 }).split('\n');
  expect(head?.split(/ {2,}/)).toEqual(['window', 'state', 'started', 'rows']);
});

it('aligns characters that take two cells of a terminal, or none', () => {
  expect(
    alignTable(
      ['key', 'n'],
      [
        ['顧客', '1'],
        ['e\u0301', '22'],
        ['abcd', '3'],
      ],
    ).split('\n'),
  ).toEqual(['key    n', '顧客   1', 'e\u0301     22', 'abcd   3']);
});

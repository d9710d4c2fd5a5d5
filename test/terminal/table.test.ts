import { expect, it } from 'vitest';
import { alignTable } from '../../src/terminal/table.ts';

it('text stands left and numbers right, without blanks at line ends', () => {
  const table = alignTable(
    ['window', 'rows', 'share', 'state'],
    [
      ['2026-W47', '1,000', '99.5%', 'published'],
      ['2026-W9', '7', '', 'ok'],
    ],
  );
  expect(`\n${table}\n`).toBe(`
window     rows  share  state
2026-W47  1,000  99.5%  published
2026-W9       7         ok
`);
});

it('a column with one word in it is text', () => {
  expect(
    alignTable(
      ['n', 'x'],
      [
        ['1', 'a'],
        ['many', 'b'],
      ],
    ),
  ).toBe('n     x\n1     a\nmany  b');
});

it('no rows leave the header', () => {
  expect(alignTable(['window', 'rows'], [])).toBe('window  rows');
});

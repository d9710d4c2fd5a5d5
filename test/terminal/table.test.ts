import { expect, it } from 'vitest';
import { alignTable } from '../../src/terminal/table.ts';

it('aligns text left and numbers right, without trailing blanks', () => {
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

it('treats a column with one word in it as text', () => {
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

it('shows only the header without rows', () => {
  expect(alignTable(['window', 'rows'], [])).toBe('window  rows');
});

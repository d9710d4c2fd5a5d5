import { expect, it } from 'vitest';
import { paletteOf } from '../../src/terminal/colour.ts';
import { paintDiff } from '../../src/terminal/paint.ts';

it('colours whole lines of a diff, not a context line or SQL below it that looks like one', () => {
  const text = ['outcome', '    @@ -1,2 +1,2 @@', '     -- a comment', '    -a', '    +b', '', '    -- SQL'].join('\n');
  expect(paintDiff(text, paletteOf({ isTTY: true } as never, { FORCE_COLOR: '1' }))).toBe(
    [
      'outcome',
      '\u001b[2m    @@ -1,2 +1,2 @@\u001b[22m',
      '     -- a comment',
      '\u001b[31m    -a\u001b[39m',
      '\u001b[32m    +b\u001b[39m',
      '',
      '    -- SQL',
    ].join('\n'),
  );
});

import { expect, it } from 'vitest';
import { paintDiff, usesColour } from '../../src/terminal/paint.ts';

it.each([
  [true, true, {}],
  [false, false, {}],
  [false, true, { NO_COLOR: '1' }],
  [true, true, { NO_COLOR: '' }],
  [true, false, { FORCE_COLOR: '1' }],
  [true, false, { FORCE_COLOR: '1', NO_COLOR: '1' }],
  [false, true, { FORCE_COLOR: '0' }],
  [false, true, { TERM: 'dumb' }],
])('uses colours: %s, on a terminal: %s, with %o', (expected, terminal, environment) => {
  expect(usesColour(environment, terminal)).toBe(expected);
});

it('colours whole lines of a diff, not a context line or SQL below it that looks like one', () => {
  const text = ['outcome', '    @@ -1,2 +1,2 @@', '     -- a comment', '    -a', '    +b', '', '    -- SQL'].join('\n');
  expect(paintDiff(text)).toBe(
    [
      'outcome',
      '\u001b[36m    @@ -1,2 +1,2 @@\u001b[39m',
      '     -- a comment',
      '\u001b[31m    -a\u001b[39m',
      '\u001b[32m    +b\u001b[39m',
      '',
      '    -- SQL',
    ].join('\n'),
  );
});

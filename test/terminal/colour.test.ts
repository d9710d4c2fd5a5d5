import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { hasColours, PLAIN, paletteOf } from '../../src/terminal/colour.ts';

const TERMINAL = { isTTY: true };
const PIPE = {};

it.each([
  [TERMINAL, {}, true],
  [TERMINAL, { TERM: 'xterm-256color' }, true],
  [TERMINAL, { TERM: 'xterm', COLORTERM: 'truecolor' }, true],
  [TERMINAL, { TERM: 'dumb' }, false],
  [TERMINAL, { NO_COLOR: '1' }, false],
  [TERMINAL, { NO_COLOR: '' }, true],
  [TERMINAL, { FORCE_COLOR: '0' }, false],
  [TERMINAL, { FORCE_COLOR: 'false' }, false],
  [PIPE, {}, false],
  [PIPE, { TERM: 'xterm-256color', COLORTERM: 'truecolor' }, false],
  [PIPE, { FORCE_COLOR: '' }, true],
  [PIPE, { FORCE_COLOR: 'true' }, true],
  [PIPE, { FORCE_COLOR: '1' }, true],
  [PIPE, { FORCE_COLOR: '2', NO_COLOR: '1' }, true],
  [PIPE, { FORCE_COLOR: '3', TERM: 'dumb' }, true],
] as const)('%j with %j: %s', (stream, environment, shown) => {
  expect(hasColours(stream, environment)).toBe(shown);
});

it.each(['', '0', '1', '2', '3', 'true', 'false'])('takes FORCE_COLOR=%j as Node itself does', (forced) => {
  const depth = execFileSync(
    process.execPath,
    ['-p', 'require("node:tty").WriteStream.prototype.getColorDepth.call({}, { FORCE_COLOR: process.env.FORCE_COLOR })'],
    { encoding: 'utf8', env: { FORCE_COLOR: forced, NODE_NO_WARNINGS: '1' } },
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Node paints what it prints
  const bits = Number(depth.replaceAll(/\u001b\[\d+m/g, ''));
  expect(hasColours(PIPE, { FORCE_COLOR: forced })).toBe(bits > 1);
});

it('paints each line by itself, and nothing where colours are off', () => {
  expect(paletteOf(TERMINAL, {}).red('two\n\nlines')).toBe('\u001b[31mtwo\u001b[39m\n\n\u001b[31mlines\u001b[39m');
  expect(paletteOf(PIPE, {})).toBe(PLAIN);
  expect(PLAIN.red('text')).toBe('text');
});

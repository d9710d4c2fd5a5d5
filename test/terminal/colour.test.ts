import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { colourLevel, PLAIN, paletteOf } from '../../src/terminal/colour.ts';

const TERMINAL = { isTTY: true };
const PIPE = {};

it.each([
  [TERMINAL, {}, 1],
  [TERMINAL, { TERM: 'xterm-256color' }, 2],
  [TERMINAL, { TERM: 'xterm', COLORTERM: 'truecolor' }, 3],
  [TERMINAL, { TERM: 'dumb' }, 0],
  [TERMINAL, { NO_COLOR: '1' }, 0],
  [TERMINAL, { NO_COLOR: '' }, 1],
  [TERMINAL, { FORCE_COLOR: '0' }, 0],
  [TERMINAL, { FORCE_COLOR: 'false' }, 0],
  [PIPE, {}, 0],
  [PIPE, { TERM: 'xterm-256color', COLORTERM: 'truecolor' }, 0],
  [PIPE, { FORCE_COLOR: '' }, 1],
  [PIPE, { FORCE_COLOR: 'true' }, 1],
  [PIPE, { FORCE_COLOR: '1' }, 1],
  [PIPE, { FORCE_COLOR: '2', NO_COLOR: '1' }, 2],
  [PIPE, { FORCE_COLOR: '3', TERM: 'dumb' }, 3],
] as const)('%j with %j shows level %i', (stream, environment, level) => {
  expect(colourLevel(stream, environment)).toBe(level);
});

it.each(['', '0', '1', '2', '3', 'true', 'false'])('takes FORCE_COLOR=%j as Node itself does', (forced) => {
  const depth = execFileSync(
    process.execPath,
    ['-p', 'require("node:tty").WriteStream.prototype.getColorDepth.call({}, { FORCE_COLOR: process.env.FORCE_COLOR })'],
    { encoding: 'utf8', env: { FORCE_COLOR: forced, NODE_NO_WARNINGS: '1' } },
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Node paints what it prints
  const bits = Number(depth.replaceAll(/\u001b\[\d+m/g, ''));
  expect(colourLevel(PIPE, { FORCE_COLOR: forced })).toBe({ 1: 0, 4: 1, 8: 2, 24: 3 }[bits]);
});

it('paints each line by itself, and nothing where colours are off', () => {
  expect(paletteOf(TERMINAL, {}).red('two\n\nlines')).toBe('\u001b[31mtwo\u001b[39m\n\n\u001b[31mlines\u001b[39m');
  expect(paletteOf(PIPE, {})).toBe(PLAIN);
  expect(PLAIN.red('text')).toBe('text');
});

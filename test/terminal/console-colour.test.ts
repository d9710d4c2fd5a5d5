import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { PLAIN, paletteOf } from '../../src/terminal/colour.ts';
import { createConsole } from '../../src/terminal/console.ts';

const COLOURS = paletteOf({ isTTY: true }, {});

function errorWith(palette: typeof PLAIN, json: boolean): string {
  let written = '';
  const stream = new Writable({
    write(chunk, _, done) {
      written += String(chunk);
      done();
    },
  });
  const console = createConsole({ verbosity: 'normal', json, stream, subject: {}, palette });
  console.error('error: no \u001b[31mrow\n  a detail\nhint: look\n  again', {});
  console.warn('a worry\nhint: of a warehouse');
  return written;
}

it('paints the word error, the word warning and the hint; what a text holds stays escaped', () => {
  expect(errorWith(COLOURS, false)).toBe(
    [
      '\u001b[31merror:\u001b[39m no \\u001b[31mrow',
      '  a detail',
      '\u001b[2mhint: look\u001b[22m',
      '\u001b[2m  again\u001b[22m',
      '\u001b[33mwarning:\u001b[39m a worry',
      '  hint: of a warehouse',
      '',
    ].join('\n'),
  );
});

it('paints nothing without colours, and nothing in JSON', () => {
  const plain = errorWith(PLAIN, false);
  expect(plain).not.toContain('\u001b');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
  expect(errorWith(COLOURS, false).replaceAll(/\u001b\[\d+m/g, '')).toBe(plain);
  const [error] = errorWith(COLOURS, true).split('\n');
  expect(JSON.parse(error ?? '')).toMatchObject({ message: 'error: no \u001b[31mrow\n  a detail\nhint: look\n  again' });
});

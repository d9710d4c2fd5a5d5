import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { type Console, createConsole } from '../../src/terminal/console.ts';

type Options = Parameters<typeof createConsole>[0];

/** What is written on a stream that is no terminal. */
function written(options: Omit<Options, 'stream'>, say: (console: Console) => void): string {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  say(createConsole({ ...options, stream: stream as Options['stream'] }));
  return text;
}

function sayEverything(console: Console): void {
  console.info('a fact');
  console.warn('a worry');
  console.debug('a detail');
}

it.each([
  ['quiet', 'warning: a worry\n'],
  ['normal', 'a fact\nwarning: a worry\n'],
  ['verbose', 'a fact\nwarning: a worry\na detail\n'],
] as const)('%s says %j', (verbosity, text) => {
  expect(written({ verbosity, json: false }, sayEverything)).toBe(text);
});

it('as JSON every line is one object, line breaks and all', () => {
  const text = written({ verbosity: 'verbose', json: true }, (console) => {
    sayEverything(console);
    console.info('two\nlines');
  });
  const lines = text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { time: expect.any(String), level: 'info', message: 'a fact' },
    { time: expect.any(String), level: 'warn', message: 'a worry' },
    { time: expect.any(String), level: 'debug', message: 'a detail' },
    { time: expect.any(String), level: 'info', message: 'two\nlines' },
  ]);
});

it.each(['quiet', 'normal'] as const)('work that is quickly done writes no progress off a terminal (%s)', (verbosity) => {
  const text = written({ verbosity, json: false }, (console) => {
    const progress = console.progress('scoring', 2);
    progress.advance(1);
    progress.advance(1);
    progress.stop();
  });
  expect(text).toBe('');
});

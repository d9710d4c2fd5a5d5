import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { type Console, createConsole } from '../../src/terminal/console.ts';

type Options = Parameters<typeof createConsole>[0];

/** The lines written to a stream that is not a terminal. */
function written(options: Pick<Options, 'verbosity' | 'json'>, say: (console: Console) => void): string {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  say(createConsole({ ...options, subject: { job: 'churn', window: '2026-W47' }, stream: stream as Options['stream'] }));
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

it('writes one JSON object per line, also for texts with line breaks', () => {
  const text = written({ verbosity: 'verbose', json: true }, (console) => {
    sayEverything(console);
    console.info('two\nlines');
  });
  const lines = text.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    [
      { level: 'info', message: 'a fact' },
      { level: 'warn', message: 'a worry' },
      { level: 'debug', message: 'a detail' },
      { level: 'info', message: 'two\nlines' },
    ].map((line) => ({ time: expect.any(String), ...line, job: 'churn', window: '2026-W47', run_id: null })),
  );
});

it.each([false, true])('escapes control characters in names (JSON: %s)', (json) => {
  const text = written({ verbosity: 'normal', json }, (console) => {
    console.info('model \u001b]0;owned\u0007 \u009b2J \u202etxt.exe');
    console.warn('a name\npublished churn 2026-W47');
  });
  expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
  expect(text).toContain('\\u001b]0;owned\\u0007 \\u009b2J \\u202etxt.exe');
  // The second line of a warning must not look like a line of its own.
  expect(text).not.toMatch(/^published/m);
});

it.each(['quiet', 'normal'] as const)('writes no progress for quick work without a terminal (%s)', (verbosity) => {
  const text = written({ verbosity, json: false }, ({ live }) => {
    const stages = live.stages('2026-W47');
    stages.enter('score');
    stages.count({ done: () => 1, total: 2 });
    stages.end('done');
  });
  expect(text).toBe('');
});

import { describe, expect, it } from 'vitest';
import { type ErrorKind, Interrupted, ScoreBatchError } from '../../src/errors.ts';
import { presentError } from '../../src/terminal/error.ts';

describe('exit codes', () => {
  it.each<[ErrorKind, number]>([
    ['usage', 64],
    ['refused', 65],
    ['unavailable', 69],
    ['report', 74],
    ['conflict', 75],
    ['permission', 77],
    ['configuration', 78],
    ['nothing to score', 99],
  ])('%s is %i', (kind, exitCode) => {
    // `--skip-empty` requests this outcome, so it is not called an error.
    const text = kind === 'nothing to score' ? 'what happened' : 'error: what happened';
    expect(presentError(new ScoreBatchError(kind, 'what happened'))).toEqual({
      text,
      message: 'what happened',
      details: [],
      hint: undefined,
      exitCode,
      kind,
    });
  });

  it.each<[NodeJS.Signals, number]>([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('%s is %i', (signal, exitCode) => {
    expect(presentError(new Interrupted(signal))).toEqual({
      text: `ended by ${signal}; run the same command again to resume`,
      message: `ended by ${signal}`,
      details: [],
      hint: undefined,
      exitCode,
      kind: 'interrupted',
    });
  });

  it.each([new TypeError('x is not a function'), 'a string', undefined])('exits with 1 for a bug: %s', (thrown) => {
    const { text, exitCode, kind } = presentError(thrown);
    expect([exitCode, kind]).toEqual([1, 'bug']);
    expect(text).toMatch(/^error: this is a bug in score-batch\n/);
  });
});

it('shows one sentence, then details, then the hint', () => {
  const error = new ScoreBatchError('configuration', 'the job file job.yaml has 2 problems', {
    details: ['job.yaml:1:1: one', 'job.yaml:2:1: two\nover two lines'],
    hint: 'fix them',
    cause: new Error('not shown'),
  });
  expect(presentError(error).text).toBe(`error: the job file job.yaml has 2 problems
  job.yaml:1:1: one
  job.yaml:2:1: two
  over two lines
hint: fix them`);
});

it('names job, window and run once they are known, before the hint', () => {
  const error = new ScoreBatchError('unavailable', 'the warehouse does not answer\npublished churn', { hint: 'wait' });
  const subject = { job: 'churn', window: '2026-W47', runId: '2026-W47-0123456789ab' };
  expect(presentError(error, subject).text).toBe(`error: the warehouse does not answer
  published churn
  job churn, window 2026-W47, run 2026-W47-0123456789ab
hint: wait`);
  expect(presentError(error, { job: 'churn' }).text).toContain('\n  job churn\n');
  expect(presentError(new Interrupted('SIGTERM'), subject).text).toContain('run 2026-W47-0123456789ab');
  expect(presentError(new Error('a bug'), subject).text).toContain('run 2026-W47-0123456789ab');
});

it('shows a bug with its stack and its causes', () => {
  const { text } = presentError(new Error('the outer one', { cause: new Error('the vendor said no') }));
  expect(text).toContain('error.test.ts');
  expect(text).toContain('the vendor said no');
});

it('an installation without the native library of DuckDB is not a bug', () => {
  const error = new Error("Cannot find module '@duckdb/node-bindings-linux-x64/duckdb.node'\nRequire stack:\n- /opt/x.js");
  expect(presentError(error)).toMatchObject({
    kind: 'configuration',
    exitCode: 78,
    message: 'the package @duckdb/node-bindings-linux-x64, DuckDB for this platform, is not installed',
    hint: 'install score-batch on this platform, without `--omit=optional`',
  });
});

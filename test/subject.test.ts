import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { scoreBatch } from './support/score-batch.ts';

// The user who is called at night has one line of a log. It says which job, which window and which run.

const JSON_LOG = { SCORE_BATCH_LOG: 'json' };

/** A project of which a run gets so far, and the subject that its error has then. */
const FAILURES: [name: string, arrange: () => Promise<string>, args: string[], subject: RegExp][] = [
  ['the window is not chosen yet', () => linearProject(), [], /^ {2}job linear$/],
  ['the window is open', () => linearProject(), ['--week', '1997-W12'], /^ {2}job linear, window 1997-W12$/],
  ['the model is broken', () => linearProject({ model: 'digest' }), ['--week'], /^ {2}job linear, window 1997-W11$/],
  [
    'a gate refuses the run',
    () => linearProject({ edit: (job) => job.replace('min_rows: 1', 'min_rows: 1234') }),
    ['--week'],
    /^ {2}job linear, window 1997-W11, run 1997-W11-[0-9a-f]{12}$/,
  ],
  [
    'the report cannot be written',
    async () => {
      const folder = await linearProject();
      await writeFile(path.join(folder, 'reports'), 'a file where a folder should be');
      return folder;
    },
    ['--week'],
    /^ {2}job linear, window 1997-W11, run 1997-W11-[0-9a-f]{12}$/,
  ],
];

describe.each(FAILURES)('where %s', (_, arrange, args, subject) => {
  it('the error names what is known, as text and as JSON', async () => {
    const folder = await arrange();
    const text = await scoreBatch(folder, args);
    expect(text.code).not.toBe(0);
    const lines = text.stderr.trimEnd().split('\n');
    expect(lines.filter((line) => subject.test(line))).toHaveLength(1);
    // The hint of a refusal has several lines.
    expect(lines.some((line) => line.startsWith('hint: '))).toBe(true);

    const { stdout, stderr } = await scoreBatch(folder, [...args, '--json'], JSON_LOG);
    const [, job, window, run] = /job (\w+)(?:, window ([^,$]+))?(?:, (run) )?/.exec(subject.source) ?? [];
    const named = {
      job,
      window: window ?? null,
      run_id: run === undefined ? null : expect.stringMatching(/^1997-W11-[0-9a-f]{12}$/),
    };
    const entries = stderr.trimEnd().split('\n');
    expect(JSON.parse(entries.at(-1) ?? '')).toMatchObject({ level: 'error', ...named });
    expect(JSON.parse(stdout)).toMatchObject({ error: named });
  });
});

it('every line of a log has them from when they are known, and null before', async () => {
  const folder = await linearProject();
  const { stderr } = await scoreBatch(folder, ['--week'], JSON_LOG);
  const entries = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<'job' | 'window' | 'run_id', string | null>);
  expect(entries.length).toBeGreaterThan(2);
  for (const entry of entries) {
    expect(entry).toMatchObject({ job: 'linear', window: '1997-W11', run_id: expect.stringMatching(/^1997-W11-/) });
  }
  await mkdir(path.join(folder, 'empty'));
  const unknown = await scoreBatch(path.join(folder, 'empty'), ['--week'], JSON_LOG);
  expect(JSON.parse(unknown.stderr)).toMatchObject({ job: null, window: null, run_id: null });
});

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { crashProject, missing } from '../crash/project.ts';
import { LIMITS, writeBundle } from '../support/challenger-project.ts';
import { startScoreBatch } from '../support/score-batch.ts';

it.each(['bigquery', 'snowflake'] as const)(
  'a challenger is published and compared within %s, then promoted',
  async (kind) => {
    // Without an emulator; the last line of the output says why there is none.
    if (missing[kind]) return;
    const { folder, environment, rows, scratch } = await crashProject(kind);
    const file = path.join(folder, 'jobs/job.yaml');
    const job = (await readFile(file, 'utf8')).replace(/^ {2}reasons: .*\n/m, '');
    await writeFile(file, `${job}${LIMITS}challenger: { model: models/linear-2, promote_after: 1 }\n`);
    await writeBundle(path.join(folder, 'models/linear-2'));
    for (const publication of [1, 2]) {
      const run = await startScoreBatch(folder, ['--week', '--json'], environment).ended;
      expect(run.code, run.stderr).toBe(0);
      expect(JSON.parse(run.stdout).challenger, run.stderr).toMatchObject({
        ...{ state: 'published', error: null },
        comparison: { measures: { a: { users: 59 }, b: { users: 59, publication }, coverage: { both: 59 } } },
      });
    }
    const table = (name: string) =>
      rows(`select count(*) as n, count(distinct run_id) as runs, min(model_version) as version from marketing.${name}`);
    const text = async (name: string) => (await table(name)).map((row) => Object.values(row).map(String));
    expect(await text('scores')).toEqual([['59', '1', '1']]);
    expect(await text('scores_challenger')).toEqual([['59', '1', '2']]);
    const rejected = await rows('select count(*) as n from marketing.scores_challenger_quarantine');
    expect(rejected.map((row) => Object.values(row).map(String))).toEqual([['1']]);
    expect(await scratch()).toEqual([]);

    const promoted = await startScoreBatch(folder, ['promote', '--json'], environment).ended;
    expect(promoted.code, promoted.stderr).toBe(0);
    expect(JSON.parse(promoted.stdout)).toMatchObject({ state: 'promoted', to: { version: '2' }, windows: ['1997-W11'] });
    expect(await readFile(file, 'utf8')).toBe(job.replace('model: model', 'model: models/linear-2') + LIMITS);
  },
  600_000,
);

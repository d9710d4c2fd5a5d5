import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { challengerProject } from '../support/challenger-project.ts';
import { query } from '../support/project.ts';
import { sampled } from '../support/sample.ts';
import { CSV, WAREHOUSE } from '../support/steer.ts';
import { CHALLENGER_EFFECTS } from './challenger-effects.ts';
import { fileProject } from './file-project.ts';
import { run } from './kill.ts';

describe('a run with a challenger', () => {
  const cases = CHALLENGER_EFFECTS.flatMap(({ name, pattern, phases }) =>
    phases.map((phase) => [`${phase} ${name}`, { pattern, phase, occurrence: 1 }] as const),
  );

  it.for(sampled(cases, ([title]) => `challenger ${title}`))(
    'killed %s: its report is there, and the same command publishes and compares both',
    async ([, point]) => {
      const project = await fileProject(await challengerProject());
      const { folder } = project;
      const { signal, stderr } = await run(project, point);
      expect(signal, stderr).toBe('SIGKILL');
      // Nothing of the challenger comes before what the champion is for.
      expect((await readFile(path.join(folder, CSV), 'utf8')).trimEnd().split('\n')).toHaveLength(101);
      const again = await run(project);
      expect(again.code, again.stderr).toBe(0);

      const rows = (sql: string) => query(path.join(folder, WAREHOUSE), sql);
      for (const [table, job] of [
        ['scores', 'linear'],
        ['scores_challenger', 'linear.challenger'],
      ]) {
        const [held] = await rows(
          `select count(*) as n, count(distinct user_id) as users, count(distinct run_id) as runs, any_value(job) as job
           from marketing.${table}`,
        );
        expect(held).toEqual({ n: '100', users: '100', runs: '1', job });
      }
      const [compared] = await rows(
        `select count(*) as n from marketing.score_batch_ledger where state = 'completed' and job = 'linear.challenger'
           and json_extract_string(details, '$.comparison.champion.run_id') = (select any_value(run_id) from marketing.scores)
           and run_id = (select any_value(run_id) from marketing.scores_challenger)`,
      );
      expect(compared).toEqual({ n: '1' });
      expect(await readdir(path.join(folder, `${WAREHOUSE}.scratch`))).toEqual([]);
    },
  );
});

import { cp, readdir, readFile, readlink, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { challengerProject } from '../support/challenger-project.ts';
import { keptFolder, once } from '../support/kept.ts';
import { temporaryFolder } from '../support/project.ts';
import { sampled } from '../support/sample.ts';
import { fileProject } from './file-project.ts';
import { run, start } from './kill.ts';
import { promoteEffects } from './promote-effects.ts';

const PROMOTE = ['promote', '--json'];

/** A project whose challenger may be promoted. */
async function ready(by: 'job file' | 'link'): Promise<string> {
  const folder = await challengerProject({
    promoteAfter: 1,
    edit: (job) => (by === 'link' ? job.replace('model: model', 'model: models/current') : job),
  });
  if (by === 'link') {
    await rename(path.join(folder, 'model'), path.join(folder, 'models/linear-1'));
    await symlink('linear-1', path.join(folder, 'models/current'));
  }
  const { code, stderr } = await run(await fileProject(folder));
  expect(code, stderr).toBe(0);
  return await copied(folder, await keptFolder());
}

async function copied(folder: string, to: string): Promise<string> {
  await cp(folder, to, { recursive: true, verbatimSymlinks: true });
  return to;
}

describe.each(['job file', 'link'] as const)('promote by %s', (by) => {
  const made = once(() => ready(by));
  const cases = promoteEffects(by).flatMap(({ name, pattern, phases }) =>
    phases.map((phase) => [`${phase} ${name}`, { pattern, phase, occurrence: 1 }] as const),
  );

  it.for(sampled(cases, ([title]) => `promote by ${by} ${title}`))(
    'killed %s: the next promote leaves what one that nothing ended leaves',
    async ([title, point]) => {
      const folder = await copied(await made(), await temporaryFolder());
      const project = await fileProject(folder);
      const job = await readFile(path.join(folder, 'jobs/job.yaml'), 'utf8');
      const killed = await start(project, point, PROMOTE).ended;
      expect(killed.signal, killed.stderr).toBe('SIGKILL');
      const again = await start(project, undefined, PROMOTE).ended;

      const after = await readFile(path.join(folder, 'jobs/job.yaml'), 'utf8');
      const changed = by === 'link' ? job : job.replace('model: model', 'model: models/linear-2');
      expect(after).toBe(changed.replace(/challenger:[\s\S]*$/, ''));
      if (by === 'link') expect(await readlink(path.join(folder, 'models/current'))).toBe('linear-2');
      const states = await project.rows(
        `select state, count(distinct run_id) over () as runs from marketing.score_batch_ledger where run_id like 'promote-%'
         order by entry_number`,
      );
      expect(states.map(({ state, runs }) => [state, runs])).toEqual([
        ['promoting', '1'],
        ['promoted', '1'],
      ]);
      // All was done, and the job has no challenger any more.
      const over = title === 'after promote: promoted' || (title === 'during promote: promoted' && again.code === 78);
      expect(again.code, again.stderr).toBe(over ? 78 : 0);
      expect((await readdir(path.join(folder, 'models'))).filter((name) => name.endsWith('.partial'))).toHaveLength(
        title === 'before promote: link' ? 1 : 0,
      );
    },
  );
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Emulator, startServer } from '../../emulators/emulator.ts';
import { keptFolder } from '../../support/kept.ts';
import { ledger } from '../../support/publication.ts';
import { FREEZING, filesIn, SCRATCH } from '../../support/steer.ts';
import { connectPrefect, type Prefect } from './prefect.ts';
import { arrive, settings, WEEKS, weeksProject, withConstants } from './weeks.ts';

// A real Prefect runs the flows of deploy/prefect over DuckDB: server, deployments that are served, a process per run.

let folder = '';
let server: Emulator<{ url: string }> | undefined;
let prefect: Prefect;

describe('Prefect', () => {
  beforeAll(async () => {
    folder = await weeksProject();
    const flows = await withConstants('prefect/score_batch_prefect.py', await keptFolder(), {});
    const given = JSON.stringify({ flows, environment: settings(folder) });
    server = await startServer(import.meta.dirname, 'prefect', 'run_prefect.py', [given]);
    prefect = await connectPrefect(server.address.url, ['weekly', 'backfill']);
  });
  afterAll(() => server?.stop(false));

  it('a backfill scores past weeks in order, skips an empty one, and ends with one that is refused, without a retry', async () => {
    const run = await prefect.start('backfill', { first: '1997-W08', last: '1997-W10' });
    expect(await prefect.over(run)).toMatchObject({ state_name: 'Completed' });
    const later = await prefect.start('backfill', { first: '1997-W12', last: '1997-W14' });
    expect(await prefect.over(later)).toMatchObject({ state_name: 'Failed' });
    const weeks = [...(await prefect.within(run)), ...(await prefect.within(later))];
    expect(weeks.map(({ parameters, state_name }) => [parameters.week, state_name])).toEqual([
      ...WEEKS.goodLabels.map((label) => [label, 'Completed']),
      [WEEKS.empty.label, 'Skipped'],
      [WEEKS.refused.label, 'Failed'],
    ]);
    const [first] = await prefect.table(weeks[0]?.id ?? '');
    expect(first).toMatchObject({
      week: '1997-W08',
      run_id: expect.stringMatching(/^1997-W08-/),
      state: 'published',
      rows: 70,
      model_digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const [task] = await prefect.tasks(weeks.at(-1)?.id ?? '');
    expect(task).toMatchObject({ state_name: 'Failed', run_count: 1 });
    expect(task?.state.message).toContain('score-batch exited with 65');
    const backwards = await prefect.start('backfill', { first: '1997-W10', last: '1997-W08' });
    expect(await prefect.over(backwards)).toMatchObject({ state_name: 'Failed' });
  });

  it('a week whose data come late is tried again; it is the week before the time of the schedule', async () => {
    const run = await prefect.start('weekly', {}, '1997-03-17T06:00:00Z');
    const tasks = () => prefect.tasks(run);
    while (((await tasks())[0]?.run_count ?? 0) < 2) await sleep(200);
    await arrive(folder);
    expect(await prefect.over(run)).toMatchObject({ state_name: 'Completed' });
    expect((await prefect.table(run))[0]).toMatchObject({ week: WEEKS.late.label });
    expect(await prefect.log(run)).toContain('score-batch exited with 69');
  });

  it('a run that is cancelled ends score-batch with a signal', async () => {
    const run = await prefect.start('weekly', { week: WEEKS.endless.label });
    while (!(await filesIn(folder, SCRATCH)).some((file) => FREEZING.test(file))) await sleep(100);
    await prefect.cancel(run);
    expect(await prefect.over(run)).toMatchObject({ state_name: 'Cancelled' });
    const last = (await ledger(folder)).at(-1);
    expect(last).toMatchObject({ run_id: expect.stringMatching(/^1997-W14-/), error: expect.stringContaining('SIGTERM') });
  });
});

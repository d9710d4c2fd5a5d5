import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Emulator, startServer } from '../../emulators/emulator.ts';
import { keptFolder } from '../../support/kept.ts';
import { repository } from '../../support/project.ts';
import { ledger } from '../../support/publication.ts';
import { FREEZING, filesIn, SCRATCH } from '../../support/steer.ts';
import { connectDagster, type Dagster } from './dagster.ts';
import { arrive, settings, WEEKS, weeksProject, withConstants } from './weeks.ts';

// A real Dagster runs the asset of deploy/dagster over DuckDB: webserver, daemon, run queue, a process per run.

const DIGEST = expect.stringMatching(/^[0-9a-f]{64}$/);

let folder = '';
let server: Emulator<{ url: string }> | undefined;
let dagster: Dagster;

describe('Dagster', () => {
  beforeAll(async () => {
    folder = await weeksProject();
    const definitions = await withConstants('dagster/score_batch_dagster.py', await keptFolder(), { START: '"1997-02-17"' });
    const given = { definitions, settings: repository('deploy', 'dagster', 'dagster.yaml'), environment: settings(folder) };
    server = await startServer(import.meta.dirname, 'dagster', 'run_dagster.py', [JSON.stringify(given)]);
    dagster = await connectDagster(server.address.url);
  });
  afterAll(() => server?.stop(false));

  it('a backfill scores past weeks, skips an empty one, and does not retry one that is refused', async () => {
    const partitions = [...WEEKS.good, WEEKS.empty.monday, WEEKS.refused.monday];
    const runs = await dagster.backfill(partitions);
    expect(runs.map(({ partition, status }) => [partition, status])).toEqual([
      ...WEEKS.good.map((monday) => [monday, 'SUCCESS']),
      [WEEKS.empty.monday, 'SUCCESS'],
      [WEEKS.refused.monday, 'FAILURE'],
    ]);
    const { materializations, observations } = await dagster.asset();
    const published = materializations.toSorted((a, b) => a.partition.localeCompare(b.partition));
    expect(published.map(({ partition }) => partition)).toEqual(WEEKS.good);
    const [first] = published;
    expect(first?.metadata).toMatchObject({
      run_id: expect.stringMatching(/^1997-W08-/),
      state: 'published',
      model_digest: DIGEST,
      'dagster/row_count': 70,
    });
    expect(observations).toMatchObject([{ partition: WEEKS.empty.monday, metadata: { nothing_to_score: true } }]);
    // The pool lets one run at a time, so weeks are published in their order.
    const publications = (await ledger(folder)).filter(({ publication }) => publication !== null);
    expect(publications.map(({ run_id }) => run_id)).toEqual(published.map(({ metadata }) => metadata.run_id));
    const events = await dagster.events(runs.at(-1)?.runId ?? '');
    expect(events.filter(({ type }) => /Retry|Restart/.test(type))).toEqual([]);
    expect(events.find(({ type }) => type === 'ExecutionStepFailureEvent')?.message).toContain('score-batch exited with 65');
  });

  it('a week whose data come late is tried again', async () => {
    const run = await dagster.launch(WEEKS.late.monday);
    const retried = async () => (await dagster.events(run)).some(({ type }) => type === 'ExecutionStepUpForRetryEvent');
    while (!(await retried())) await sleep(200);
    await arrive(folder);
    expect(await dagster.over(run)).toMatchObject({ status: 'SUCCESS', partition: WEEKS.late.monday });
    const events = await dagster.events(run);
    expect(events.some(({ message }) => message.includes('score-batch exited with 69'))).toBe(true);
    expect((await dagster.asset()).materializations.filter(({ runId }) => runId === run)).toHaveLength(1);
  });

  it('a run that is terminated ends score-batch with a signal', async () => {
    const run = await dagster.launch(WEEKS.endless.monday);
    while (!(await filesIn(folder, SCRATCH)).some((file) => FREEZING.test(file))) await sleep(100);
    await dagster.terminate(run);
    expect(await dagster.over(run)).toMatchObject({ status: 'CANCELED' });
    const last = (await ledger(folder)).at(-1);
    expect(last).toMatchObject({ run_id: expect.stringMatching(/^1997-W14-/), error: expect.stringContaining('SIGTERM') });
  });
});

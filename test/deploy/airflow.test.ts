import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bigquery, copyJob, ENVIRONMENT, expectedCsv, FILL, leftInScratch, missing, replaced } from '../across/week.ts';
import { type Emulator, startServer } from '../emulators/emulator.ts';
import { holdingProxy } from '../support/holding-proxy.ts';
import { repository } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { change, INCREMENTAL, sliceProject } from '../support/slice-project.ts';
import { type Airflow, connectAirflow } from './airflow.ts';
import { arrive, WEEKS, weeksProject } from './orchestrators/weeks.ts';
import { installProvider } from './provider.ts';

// A real Airflow runs the DAGs of deploy/airflow over the emulator of BigQuery: scheduler, workers, retries and backfills.

const SHARDS = 3;
/**
 * A shard that is told to writes down its process id, and sends its requests where it is told; then it is score-batch. Slices, and
 * the week whose data come late, are of other projects.
 */
const COMMAND = `#!/bin/sh
if [ "$SHARD" = "2/${SHARDS}" ] && mv "$SCORE_BATCH_PROJECT/held" "$SCORE_BATCH_PROJECT/holding" 2>/dev/null; then
  export BIGQUERY_EMULATOR_HOST="$(cat "$SCORE_BATCH_PROJECT/holding")"
  echo $$ > "$SCORE_BATCH_PROJECT/process"
fi
case "$*" in *--slice*|*--shadow*) cd hourly ;; 'run '*${WEEKS.late.monday}*) cd late ;; esac
exec '${process.execPath}' '${repository('dist', 'cli.js')}' "$@"
`;

let folder = '';
let warehouse = '';
let server: Emulator<{ url: string }> | undefined;
let airflow: Airflow;

// Without Python there is no emulator either; the last line of the output says so.
describe.skipIf(missing.bigquery)('Airflow', () => {
  beforeAll(async () => {
    warehouse = await FILL.bigquery();
    folder = await mkdtemp(path.join(tmpdir(), 'score-batch-airflow-'));
    await copyJob(folder, { edit: (job) => replaced(job, 'score:\n', 'score:\n  chunk_rows: 200\n') });
    await writeFile(path.join(folder, 'score-batch'), COMMAND);
    await chmod(path.join(folder, 'score-batch'), 0o755);
    const dags = path.join(folder, 'dags');
    await mkdir(dags);
    const { installed } = await installProvider(folder);
    // As they are, but for the weeks of the data and for a pause that a test can wait for.
    for (const dag of ['score_batch_weekly.py', 'score_batch_single.py', 'score_batch_hourly.py']) {
      const text = await readFile(repository('deploy', 'airflow', dag), 'utf8');
      const [begin = '', zone = ''] = /start_date=pendulum\.datetime\(2026, 1, 5, tz=(.+)\)/.exec(text) ?? [];
      const weeks = `start_date=pendulum.datetime(1997, 1, 6, tz=${zone}), end_date=pendulum.datetime(1997, 6, 2, tz=${zone})`;
      const [pause = ''] = /"?retry_delay"?[:=] ?timedelta\(minutes=\d\)/.exec(text) ?? [];
      const soon = replaced(text, pause, pause.replace(/minutes=\d/, 'seconds=1')).replace(
        'look_every=timedelta(minutes=5)',
        'look_every=timedelta(seconds=2)',
      );
      await writeFile(path.join(dags, dag), replaced(soon, begin, weeks));
    }
    const environment = {
      ...variables(),
      PATH: process.env.PATH,
      PYTHONPATH: installed,
      SCORE_BATCH_PROJECT: folder,
      SCORE_BATCH_COMMAND: './score-batch',
    };
    server = await startServer(import.meta.dirname, 'airflow', 'run_airflow.py', [JSON.stringify({ dags, environment })]);
    airflow = await connectAirflow(server.address.url);
  });
  afterAll(async () => {
    await server?.stop(false);
    await rm(folder, { recursive: true, force: true });
  });

  it('a backfill scores past weeks, and a summary is in the XCom', async () => {
    await airflow.backfill('score_batch_weekly', '1997-02-10T00:00:00-05:00', '1997-02-24T00:00:00-05:00', { shards: 2 });
    const runs = await airflow.overRuns('score_batch_weekly', 3);
    for (const run of runs) await expectWell('score_batch_weekly', run.dag_run_id);
    const summaries = await Promise.all(
      runs.map(({ dag_run_id }) => airflow.xcom('score_batch_weekly', dag_run_id, 'publish')),
    );
    expect(summaries).toMatchObject(
      ['1997-W07', '1997-W08', '1997-W09'].map((label) => ({ state: 'published', job: 'churn-weekly', window: { label } })),
    );
    // The same week by hand is the same publication.
    const again = await scoreBatch(folder, ['--week', '1997-W08', '--skip-published', '--json'], variables());
    const { run_id } = summaries[1] as { run_id: string };
    expect(JSON.parse(again.stdout)).toMatchObject({ run_id, state: 'already published' });
    expect(await leftInScratch(warehouse)).toEqual([]);
  });

  it('a shard that is killed is tried again, and the week is whole', async () => {
    const proxy = await holdingProxy(bigquery?.rest ?? '', /^POST \/upload/);
    await writeFile(path.join(folder, 'held'), proxy.url);
    const run = await airflow.trigger('score_batch_weekly', '1997-03-10T00:00:00-05:00', '1997-03-17T00:00:00-05:00', {
      shards: SHARDS,
    });
    // It has scored a chunk, and no answer will tell it whether that is staged.
    await proxy.reached;
    process.kill(Number(readFileSync(path.join(folder, 'process'), 'utf8')), 'SIGKILL');
    proxy.release();
    await expectWell('score_batch_weekly', run);
    const shards = (await airflow.tasks('score_batch_weekly', run)).filter(({ task_id }) => task_id === 'score');
    expect(shards.map(({ rendered_map_index, try_number }) => [rendered_map_index, try_number])).toEqual([
      ['1/3', 1],
      ['2/3', 2],
      ['3/3', 1],
    ]);
    expect(await airflow.xcom('score_batch_weekly', run, 'score', 1)).toMatchObject({ shard: { index: 2, count: 3 } });
    expect(await airflow.xcom('score_batch_weekly', run, 'publish')).toMatchObject({
      state: 'published',
      rows: { frozen: 2053, scored: 2053, quarantined: 0 },
    });
    expect(await readFile(path.join(folder, 'reports', 'churn-1997-W11.csv'), 'utf8')).toBe(await expectedCsv());
    expect(await leftInScratch(warehouse)).toEqual([]);
  });

  it('a week without new users is skipped, from the first task to the last', async () => {
    const run = await airflow.trigger('score_batch_weekly', '1997-05-12T00:00:00-04:00', '1997-05-19T00:00:00-04:00');
    expect(await airflow.overRun('score_batch_weekly', run)).toMatchObject({ state: 'success' });
    const tasks = await airflow.tasks('score_batch_weekly', run);
    expect(tasks.map(({ task_id, state }) => `${task_id} ${state}`).sort()).toEqual([
      'freeze skipped',
      'publish skipped',
      'score skipped',
      'shards skipped',
    ]);
    expect(existsSync(path.join(folder, 'reports', 'churn-1997-W20.csv'))).toBe(false);
  });

  it('one task is enough for a small job', async () => {
    const run = await airflow.trigger('score_batch_single', '1997-01-27T00:00:00-05:00', '1997-02-03T00:00:00-05:00');
    await expectWell('score_batch_single', run);
    expect(await airflow.xcom('score_batch_single', run, 'run')).toMatchObject({
      state: 'published',
      window: { label: '1997-W05' },
    });
  });

  it('a source that is not ready is waited for without a worker, and without a failed try', async () => {
    const project = await weeksProject();
    await symlink(project, path.join(folder, 'late'));
    const run = await airflow.trigger('score_batch_single', '1997-03-10T00:00:00-05:00', '1997-03-17T00:00:00-05:00');
    while ((await airflow.tasks('score_batch_single', run))[0]?.state !== 'deferred') await sleep(200);
    await arrive(project);
    await expectWell('score_batch_single', run);
    expect(await airflow.tasks('score_batch_single', run)).toMatchObject([{ state: 'success', try_number: 1 }]);
    expect(await airflow.xcom('score_batch_single', run, 'run')).toMatchObject({
      state: 'published',
      window: { label: WEEKS.late.label },
    });
  });

  it('an interval that is not a week of the job is refused, and not tried again', async () => {
    const run = await airflow.trigger('score_batch_single', '1997-02-17T00:00:00Z', '1997-02-24T00:00:00Z');
    expect(await airflow.overRun('score_batch_single', run)).toMatchObject({ state: 'failed' });
    expect(await airflow.tasks('score_batch_single', run)).toMatchObject([{ state: 'failed', try_number: 1 }]);
    expect(await airflow.log('score_batch_single', run, 'run', 1)).toContain('is not a whole week in America/New_York');
  });

  it('a slice and its comparison run every hour, whatever the interval; the comparison is a gate', async () => {
    const shadow = `${INCREMENTAL}  shadow: { view: marketing.people, comparisons: 1 }\n`;
    const project = await sliceProject({ incremental: shadow });
    await symlink(project, path.join(folder, 'hourly'));
    const hour = (at: string) => airflow.trigger('score_batch_hourly', `1997-03-${at}:00Z`, `1997-03-${at}:00Z`);
    const first = await hour('10T22:10');
    await expectWell('score_batch_hourly', first);
    const found = await airflow.xcom('score_batch_hourly', first, 'slice');
    expect(found).toMatchObject({ slices: [{ kind: 'snapshot', outcome: { users: 100 } }] });
    // A day without Airflow, and the end of the week, where the batch will be compared.
    await change(
      project,
      "insert into users values (200, timestamp '1997-03-11 12:00', 1, 1, 'US', timestamp '1997-03-11 12:00')",
      "insert into users values (201, timestamp '1997-03-17 12:00', 1, 1, 'US', timestamp '1997-03-17 12:00')",
    );
    const second = await hour('17T12:10');
    await expectWell('score_batch_hourly', second);
    expect(await airflow.xcom('score_batch_hourly', second, 'slice')).toMatchObject({
      slices: [
        { kind: 'changes', boundary: '1997-03-17T05:00:00.000000Z' },
        { kind: 'changes', boundary: null },
      ],
    });
    expect((await scoreBatch(project, ['--week', '1997-W11'], { SCORE_BATCH_NOW: '1997-03-18T00:00:00Z' })).code).toBe(0);
    await change(project, 'update marketing.current_boundary set propensity = propensity / 2 where user_id = 200');
    const third = await hour('17T13:10');
    expect(await airflow.overRun('score_batch_hourly', third)).toMatchObject({ state: 'failed' });
    const tasks = await airflow.tasks('score_batch_hourly', third);
    expect(tasks.map(({ task_id, state, try_number }) => [task_id, state, try_number]).sort()).toEqual([
      ['compare', 'failed', 1],
      ['slice', 'success', 1],
    ]);
    expect(await airflow.log('score_batch_hourly', third, 'compare', 1)).toContain('score-batch exited with 65');
  });

  it('does not retry what no retry fixes', async () => {
    // The window is not over.
    const run = await airflow.trigger('score_batch_single', '1997-02-03T00:00:00-05:00', '2097-02-03T00:00:00-05:00');
    expect(await airflow.overRun('score_batch_single', run)).toMatchObject({ state: 'failed' });
    expect(await airflow.tasks('score_batch_single', run)).toMatchObject([{ state: 'failed', try_number: 1 }]);
    expect(await airflow.log('score_batch_single', run, 'run', 1)).toContain('score-batch exited with 64');
  });
});

/** Where the command finds its warehouses. */
function variables(): NodeJS.ProcessEnv {
  return { ...ENVIRONMENT, METADATA_SERVER_DETECTION: 'none', WAREHOUSE_URL: warehouse, SINK_URL: warehouse };
}

/** Waits for a run to end well; where it does not, the logs of the tasks that failed say why. */
async function expectWell(dag: string, run: string): Promise<void> {
  const { state } = await airflow.overRun(dag, run);
  const failed = (await airflow.tasks(dag, run)).filter((task) => task.state === 'failed');
  const logs = failed.map((task) => airflow.log(dag, run, task.task_id, task.try_number, task.map_index));
  expect(state, (await Promise.all(logs)).join('\n')).toBe('success');
}

import { execFile } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { virtualEnvironment } from '../../emulators/virtual-environment.ts';
import { keptFolder } from '../../support/kept.ts';
import { repository } from '../../support/project.ts';
import { ledger } from '../../support/publication.ts';
import { settings, together, WEEKS, weeksProject, withConstants } from './weeks.ts';

// Engines whose clocks disagree with the job's, and with each other. Each runs in the process that starts it, without a server.

const run = promisify(execFile);

const python: Record<'dagster' | 'prefect', string> = { dagster: '', prefect: '' };

beforeAll(async () => {
  python.dagster = await virtualEnvironment('dagster', import.meta.dirname);
  python.prefect = await virtualEnvironment('prefect', import.meta.dirname);
});

type Outcome = { readonly failed: boolean; readonly output: string; readonly last: string };

async function outcome(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const own = { ...env, HOME: cwd, TMPDIR: cwd, DO_NOT_TRACK: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const ended = await run(command, args, { cwd, env: own, maxBuffer: 2 ** 24 }).then(
    (streams) => ({ failed: false, ...streams }),
    (error: { stdout: string; stderr: string }) => ({ failed: true, ...error }),
  );
  const last = ended.stdout.trimEnd().split('\n').at(-1) ?? '';
  return { failed: ended.failed, output: ended.stdout + ended.stderr, last };
}

/** Materializes a partition. */
async function inDagster(zone: string, partition: string, environment: NodeJS.ProcessEnv): Promise<Outcome> {
  const home = await keptFolder();
  const constants = { START: '"1997-02-17"', TIME_ZONE: `"${zone}"` };
  const file = await withConstants('dagster/score_batch_dagster.py', home, constants);
  await copyFile(repository('deploy', 'dagster', 'dagster.yaml'), path.join(home, 'dagster.yaml'));
  const args = ['asset', 'materialize', '--python-file', file, '--select', 'churn_scores', '--partition', partition];
  return await outcome(python.dagster, ['-m', 'dagster', ...args], home, { ...environment, DAGSTER_HOME: home });
}

/** Runs Python that has the flows as `flows`. */
async function inPrefect(zone: string, script: string, environment: NodeJS.ProcessEnv): Promise<Outcome> {
  const home = await keptFolder();
  await mkdir(path.join(home, 'prefect'));
  await withConstants('prefect/score_batch_prefect.py', home, { TIME_ZONE: `"${zone}"` });
  const all = `import json\nfrom datetime import datetime\nimport score_batch_prefect as flows\n${script}`;
  return await outcome(python.prefect, ['-c', all], home, {
    ...environment,
    PYTHONPATH: home,
    PREFECT_HOME: path.join(home, 'prefect'),
    PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    // Its server starts with the flow, beside whatever else the machine does.
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: '240',
  });
}

const publications = async (folder: string) => (await ledger(folder)).filter(({ publication }) => publication !== null);

describe('an interval in another time zone', () => {
  it('is refused where it is not a week of the job, and is the same week where only the name differs', async () => {
    const folder = await weeksProject();
    const [, monday] = WEEKS.good;
    const utc = await inDagster('UTC', monday, settings(folder));
    expect(utc.failed).toBe(true);
    expect(utc.output).toContain('is not a whole week in America/New_York');
    expect(utc.output).toContain('score-batch exited with 64: a retry would fail again');
    expect(await ledger(folder)).toEqual([]);
    const eastern = await inDagster('US/Eastern', monday, settings(folder));
    expect(eastern.failed, eastern.output).toBe(false);
    expect(await publications(folder)).toMatchObject([{ run_id: expect.stringMatching(/^1997-W09-/) }]);
  });

  it('of Prefect is the week before the scheduled time in its zone, and is refused if that is another', async () => {
    const folder = await weeksProject();
    const week = (at: string) => `print(json.dumps(flows.week_before(datetime.fromisoformat("${at}"))))\n`;
    // A second before Monday, Monday, and the week in which clocks change.
    const at = ['1997-03-17T04:59:59+00:00', '1997-03-17T05:00:00+00:00', '1997-04-07T06:00:00+02:00'];
    const { output } = await inPrefect('America/New_York', at.map(week).join(''), settings(folder));
    const flags = output.split('\n').filter((line) => line.startsWith('['));
    expect(flags.map((line) => JSON.parse(line) as string[])).toEqual([
      ['--from', '1997-03-03T00:00:00-05:00', '--to', '1997-03-10T00:00:00-05:00', '--whole'],
      ['--from', '1997-03-10T00:00:00-05:00', '--to', '1997-03-17T00:00:00-05:00', '--whole'],
      ['--from', '1997-03-31T00:00:00-05:00', '--to', '1997-04-07T00:00:00-04:00', '--whole'],
    ]);
    const call = 'flows.score_batch(["run", *flows.week_before(datetime.fromisoformat("1997-03-03T06:00:00+00:00"))], print)';
    const berlin = await inPrefect('Europe/Berlin', `code, printed = ${call}\nprint(code)`, settings(folder));
    expect(berlin.last, berlin.output).toBe('64');
    expect(berlin.output).toContain('is not a whole week in America/New_York');
    expect(await ledger(folder)).toEqual([]);
  });
});

it('two engines that start the same week at once publish it once', async () => {
  const folder = await weeksProject();
  const environment = settings(folder, await together(folder, 2));
  const [dagster, prefect] = await Promise.all([
    inDagster('America/New_York', '1997-03-03', environment),
    inPrefect('America/New_York', 'print(flows.weekly(week="1997-W10")["run_id"])', environment),
  ]);
  expect(dagster.failed, dagster.output).toBe(false);
  expect(prefect.failed, prefect.output).toBe(false);
  const published = await publications(folder);
  expect(published).toMatchObject([{ run_id: prefect.last }]);
  expect(dagster.output).toContain(prefect.last);
});

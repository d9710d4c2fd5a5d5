import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ENVIRONMENT, expectedCsv, FILL, leftInScratch, missing, replaced, weeklyProject } from '../across/week.ts';
import { type Container, cronJob, manifest, steps } from '../deploy/manifest.ts';
import { IRIS } from '../serve/served.ts';
import { demoProject } from '../support/demo-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { INCREMENTAL, sliceProject } from '../support/slice-project.ts';
import { type ContainerOptions, type RootFolder, runContainer, startContainer } from './container.ts';
import { images, rootOf, rootWith } from './images.ts';

const NOW = { SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' };

/** Empty folders, as `emptyDir` gives them to a pod. */
async function emptyFolders(...places: readonly string[]): Promise<NonNullable<ContainerOptions['mounts']>> {
  return Object.fromEntries(
    await Promise.all(places.map(async (place) => [place, { from: await temporaryFolder() }] as const)),
  );
}

function variablesOf({ env = [] }: { readonly env?: Container['env'] }): Record<string, string> {
  return Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
}

// Without the tools that build an image; the last lines of the output name them.
describe.skipIf(images === undefined)('the pods of deploy/kubernetes, in the image', () => {
  // Without an emulator; the last line of the output says why there is none.
  it.skipIf(missing.bigquery)('two pods of the weekly Job publish a week of BigQuery together', async () => {
    const project = await weeklyProject({ edit: (job) => replaced(job, 'score:\n', 'score:\n  chunk_rows: 200\n') });
    const root = await rootWith('command', project, ['jobs', 'models']);
    const url = await FILL.bigquery();
    const containers = steps(cronJob('cronjob.yaml').spec.jobTemplate.spec.template.spec);
    const pod = async (index: number) => {
      const mounts = await emptyFolders('/tmp', '/srv/job/reports');
      const codes: (number | null)[] = [];
      for (const container of containers) {
        const env = { ...ENVIRONMENT, ...NOW, WAREHOUSE_URL: url, SINK_URL: url, ...variablesOf(container) };
        const args = container.args.map((arg) => arg.replace('--workers=4', '--workers=1'));
        const outcome = await runContainer(root, { args, env: { ...env, JOB_COMPLETION_INDEX: String(index) }, mounts });
        codes.push(outcome.code);
        if (outcome.code !== 0) throw new Error(outcome.stderr);
      }
      return { codes, reports: mounts['/srv/job/reports']?.from ?? '' };
    };
    const pods = await Promise.all([pod(0), pod(3)]);
    expect(pods.map(({ codes }) => codes)).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    const csv = await Promise.all(
      pods.map(({ reports }) => readFile(path.join(reports, 'churn-1997-W11.csv'), 'utf8').catch(() => undefined)),
    );
    // Of one file per publication, the pod that published has the first.
    expect(csv).toContain(await expectedCsv());
    expect(await leftInScratch(url)).toEqual([]);
  });

  // Without an emulator, as above.
  it.skipIf(missing.bigquery)('a pod that was to have a GPU, and has none, says so', async () => {
    const root = await rootWith('command', await weeklyProject(), ['jobs', 'models']);
    const url = await FILL.bigquery();
    const [freeze, score] = steps(cronJob('cronjob-gpu.yaml').spec.jobTemplate.spec.template.spec);
    const env = { ...ENVIRONMENT, ...NOW, WAREHOUSE_URL: url, SINK_URL: url, JOB_COMPLETION_INDEX: '0', HOME: '/tmp' };
    const mounts = await emptyFolders('/tmp', '/srv/job/reports');
    const run = (container: Container | undefined) => runContainer(root, { args: container?.args ?? [], env, mounts });
    expect(await run(freeze)).toMatchObject({ code: 0 });
    expect(await run(score)).toMatchObject({ code: 78 });
  });

  it('the hourly pods publish a slice and find it the same as the batch', async () => {
    const project = await sliceProject({ incremental: `${INCREMENTAL}  shadow: { view: marketing.people }\n` });
    const root = await rootWith('command', project, ['jobs', 'model']);
    const mounts = { ...(await emptyFolders('/tmp')), '/srv/job/data': { from: path.join(project, 'data') } };
    for (const container of steps(cronJob('cronjob-hourly.yaml').spec.jobTemplate.spec.template.spec)) {
      const outcome = await runContainer(root, { args: container.args, env: { ...NOW, ...variablesOf(container) }, mounts });
      expect(outcome.code, outcome.stderr).toBe(0);
    }
  });

  it('the demo is scored in one container, where nothing but its mounts can be written', async () => {
    const { root, mounts, project } = await demo();
    const outcome = await runContainer(root, { args: ['--week'], env: NOW, mounts });
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(await readFile(path.join(project, 'reports', 'churn-1997-W11.csv'), 'utf8')).toBe(await expectedCsv());
    const codes = async (args: readonly string[], env = NOW) => (await runContainer(root, { args, env, mounts })).code;
    expect(await codes(['check'])).toBe(0);
    expect(await codes(['status', '--json'])).toBe(0);
    expect(await codes(['--week', '--no-such-flag'])).toBe(64);
    expect(await codes(['--week', '1999-W01'])).toBe(64);
    expect(await codes(['--week', '1999-W01'], { SCORE_BATCH_NOW: '1999-01-11T08:00:00-05:00' })).toBe(69);
  });

  it('the serving pod answers, and still does while it drains', async () => {
    const deployment = manifest('serve.yaml').find(({ kind }) => kind === 'Deployment') as unknown as {
      spec: { template: { spec: { containers: Container[] } } };
    };
    const [container] = deployment.spec.template.spec.containers;
    const project = await temporaryFolder();
    await cp(IRIS, path.join(project, 'models/iris'), { recursive: true });
    const tokens = await temporaryFolder();
    const token = 'a-token-of-this-test-alone';
    await writeFile(path.join(tokens, 'tokens'), `${token}\n`);
    const root = await rootWith('serve', project, ['models/iris']);
    expect(Object.keys(root.config.ExposedPorts ?? {})).toEqual(['8080/tcp', '8081/tcp']);
    // The network is this machine's: nothing listens beyond it, on ports that are free.
    const args = (container?.args ?? []).map((arg) => arg.replace('--host=0.0.0.0', '--host=127.0.0.1'));
    const pod = await startContainer(root, {
      args: [...args, '--port=0', '--grpc-port=0'],
      env: variablesOf(container ?? {}),
      mounts: { ...(await emptyFolders('/tmp')), '/etc/score-batch': { from: tokens, readOnly: true } },
    });
    onTestFinished(() => pod.signal('SIGKILL'));
    const url = await Promise.race([listening(pod.stderr), pod.ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
    const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
    const predict = () =>
      fetch(`${url}/v1/models/iris/predict`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ rows: [flower] }),
      });
    expect(await (await predict()).json()).toMatchObject({ predictions: [{ label: 'setosa' }] });
    pod.signal('SIGTERM');
    await expect.poll(async () => (await fetch(`${url}/v2/health/ready`)).status, { timeout: 4000 }).toBe(503);
    expect((await predict()).status).toBe(200);
    expect((await pod.ended).code).toBe(0);
  });
});

/** The demo in a folder that is mounted as a whole. */
async function demo(): Promise<{ root: RootFolder; mounts: NonNullable<ContainerOptions['mounts']>; project: string }> {
  const project = await demoProject();
  await mkdir(path.join(project, 'reports'));
  const mounts = {
    ...(await emptyFolders('/tmp')),
    '/srv/job': { from: project, readOnly: true },
    '/srv/job/data': { from: path.join(project, 'data') },
    '/srv/job/reports': { from: path.join(project, 'reports') },
  };
  return { root: await rootOf('command'), mounts, project };
}

async function listening(stderr: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for (;;) {
    const [part] = (await once(stderr, 'data')) as [string];
    text += part;
    const url = /listening on (http:\/\/[\d.]+:\d+)/.exec(text)?.[1];
    if (url !== undefined) return url;
  }
}

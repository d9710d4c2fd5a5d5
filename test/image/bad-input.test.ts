import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { demoProject } from '../support/demo-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { type ContainerOptions, runContainer } from './container.ts';
import { images, rootOf } from './images.ts';

const env = { SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' };
const MODULES = 'opt/score-batch/node_modules';

/** What an installation without optional packages lacks. */
const OPTIONAL = [
  '@aws-sdk/client-s3',
  '@google-cloud/storage',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  '@grpc/reflection',
  'grpc-health-check',
  'kafkajs',
  'lz4-napi',
  'nodemailer',
  'prom-client',
  'snappy',
];

// Without the tools that build an image; the last lines of the output name them.
describe.skipIf(images === undefined)('where a container lacks something', () => {
  it('each mount that is missing has its message and its code', async () => {
    const project = await demoProject();
    await mkdir(path.join(project, 'reports'));
    const root = await rootOf('command');
    const run = (mounts: NonNullable<ContainerOptions['mounts']>, ...args: string[]) =>
      runContainer(root, { args, env, mounts });
    const job = { '/srv/job': { from: project, readOnly: true } };
    const data = { '/srv/job/data': { from: path.join(project, 'data') } };

    expect(await run({}, '--week')).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/no job file in \/srv\/job\/jobs[\s\S]*-C/) as string,
    });
    expect(await run({}, 'init', 'churn')).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('could not write to /srv/job/jobs') as string,
    });
    expect(await run(job, '--week')).toMatchObject({
      code: 77,
      stderr: expect.stringMatching(/warehouse\.duckdb cannot be read or written by this user[\s\S]*grant the user/) as string,
    });
    // What can be known before a run, `check` says.
    expect(await run({ ...job, ...data }, 'check')).toMatchObject({
      code: 77,
      stdout: expect.stringMatching(/FAILED {2}report folder: .*read-only file system/) as string,
    });
    expect(await run({ ...job, ...data }, '--week')).toMatchObject({
      code: 74,
      stderr: expect.stringMatching(/the report .* cannot be written[\s\S]*the scores are published/) as string,
    });
    const reports = { '/srv/job/reports': { from: await temporaryFolder() } };
    expect(await run({ ...job, ...data, ...reports }, '--week')).toMatchObject({ code: 0 });
  });

  it('packages that are optional are missed by what needs them, by name', async () => {
    const project = await demoProject();
    await mkdir(path.join(project, 'reports'));
    const root = await rootOf('command');
    await Promise.all(OPTIONAL.map((name) => rm(path.join(root.folder, MODULES, name), { recursive: true })));
    const mounts = {
      '/tmp': { from: await temporaryFolder() },
      '/srv/job': { from: project, readOnly: true },
      '/srv/job/data': { from: path.join(project, 'data') },
      '/srv/job/reports': { from: await temporaryFolder() },
    };
    const run = (...args: string[]) => runContainer(root, { args, env, mounts });
    expect(await run('--week')).toMatchObject({ code: 0 });
    expect(await run('serve', 'model', '--port=0', '--grpc-port=0')).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/prom-client[\s\S]*npm install prom-client/) as string,
    });
    await Promise.all(
      ['@duckdb/node-bindings-linux-x64', '@duckdb/node-bindings-linux-arm64'].map((name) =>
        rm(path.join(root.folder, MODULES, name), { recursive: true, force: true }),
      ),
    );
    expect(await run('--week')).toMatchObject({ code: 78, stderr: expect.stringMatching(/duckdb/) as string });
  });
});

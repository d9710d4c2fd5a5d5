import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { fakeFeast } from '../feast/fake-feast.ts';
import { JOB, streamProject } from '../stream/stream-project.ts';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatchProcess } from '../support/score-batch.ts';
import { startServer } from './process/server.ts';
import { IRIS } from './served.ts';

const OF_SERVE =
  /\/(cli-(serve|supervisor)\w*|answering-process\w*)\.js$|\/(prom-client|fastify|grpc-health-check)\/|\/@grpc\//;
const OF_STREAM = /\/cli-(stream|run|event)-\w+\.js$|\/kafkajs\//;

/** All files that a call of the command line, and its threads and processes, have loaded. */
async function loaded(folder: string, args: readonly string[], code: number): Promise<string[]> {
  const coverage = await temporaryFolder();
  const ended = await scoreBatchProcess(folder, args, { NODE_V8_COVERAGE: coverage });
  expect(ended.code, ended.stderr).toBe(code);
  return await coveredFiles(coverage);
}

async function coveredFiles(coverage: string): Promise<string[]> {
  const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(path.join(coverage, name), 'utf8')));
  return reports.flatMap((text) => (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url));
}

it('loads nothing of the server and of streams in a run, or to show help', async () => {
  const project = await linearProject();
  for (const args of [['-q', '--week'], ['--help'], ['serve', '--help']]) {
    const files = await loaded(project, args, 0);
    expect(files.some((file) => file.endsWith('/dist/cli.js'))).toBe(true);
    expect(files.filter((file) => OF_SERVE.test(file) || OF_STREAM.test(file))).toEqual([]);
  }
  // The pattern knows what a server loads: this one is refused once it has read its settings.
  const files = await loaded(project, ['serve', IRIS, '--host', '0.0.0.0'], 78);
  expect(files.filter((file) => OF_SERVE.test(file))).not.toEqual([]);
  // So does that of a stream, whose broker does not answer.
  const streamed = await loaded(await streamProject({ job: JOB.replace('localhost:9092', '127.0.0.1:1') }), ['stream'], 69);
  expect(streamed.filter((file) => OF_STREAM.test(file)).map((file) => /cli-|kafkajs/.exec(file)?.[0])).toEqual(
    expect.arrayContaining(['cli-', 'kafkajs']),
  );
}, 120_000);

it('loads nothing that asks Feast in a server without features in its settings', async () => {
  const OF_FEAST = /\/answering-process-feast-\w+\.js$/;
  const filesOf = async (settings: string) => {
    const coverage = await temporaryFolder();
    const server = await startServer(settings, { environment: { NODE_V8_COVERAGE: coverage } });
    server.signal('SIGTERM');
    expect((await server.ended).code).toBe(0);
    return await coveredFiles(coverage);
  };
  const files = await filesOf('');
  expect(files.some((file) => file.endsWith('/dist/answering-process.js'))).toBe(true);
  expect(files.filter((file) => OF_FEAST.test(file))).toEqual([]);
  // The pattern knows what one with features loads.
  const columns = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];
  const feast = await fakeFeast(Object.fromEntries(columns.map((name) => [`flower__${name}`, {}])));
  const asking = await filesOf(`features: ${feast.url.replace('http', 'feast')}/iris_v1?entity=flower\n`);
  expect(asking.filter((file) => OF_FEAST.test(file))).not.toEqual([]);
}, 120_000);

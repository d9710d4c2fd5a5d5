import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatchProcess } from '../support/score-batch.ts';
import { IRIS } from './served.ts';

const OF_SERVE =
  /\/(cli-(serve|supervisor)\w*|answering-process\w*)\.js$|\/(prom-client|fastify|grpc-health-check)\/|\/@grpc\//;

/** All files that a call of the command line, and its threads and processes, have loaded. */
async function loaded(folder: string, args: readonly string[], code: number): Promise<string[]> {
  const coverage = await temporaryFolder();
  const ended = await scoreBatchProcess(folder, args, { NODE_V8_COVERAGE: coverage });
  expect(ended.code, ended.stderr).toBe(code);
  const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(path.join(coverage, name), 'utf8')));
  return reports.flatMap((text) => (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url));
}

it('loads nothing of the server in a run, or to show help', async () => {
  const project = await linearProject();
  for (const args of [['-q', '--week'], ['--help'], ['serve', '--help']]) {
    const files = await loaded(project, args, 0);
    expect(files.some((file) => file.endsWith('/dist/cli.js'))).toBe(true);
    expect(files.filter((file) => OF_SERVE.test(file))).toEqual([]);
  }
  // The pattern knows what a server loads: this one is refused once it has read its settings.
  const files = await loaded(project, ['serve', IRIS, '--host', '0.0.0.0'], 78);
  expect(files.filter((file) => OF_SERVE.test(file))).not.toEqual([]);
}, 120_000);

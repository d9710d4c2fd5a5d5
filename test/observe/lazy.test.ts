import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatchProcess } from '../support/score-batch.ts';

const OF_OBSERVERS = /\/cli-observer\d*\.js$/;

/** The files of observers that a run has loaded. */
async function loaded(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const coverage = await temporaryFolder();
  const variables = { ...environment, NODE_V8_COVERAGE: coverage };
  const ended = await scoreBatchProcess(await linearProject(), ['-q', '--week'], variables);
  expect(ended.code, ended.stderr).toBe(0);
  const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(path.join(coverage, name), 'utf8')));
  const files = reports.flatMap((text) => (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url));
  expect(files.some((file) => file.endsWith('/dist/cli.js'))).toBe(true);
  return files.filter((file) => OF_OBSERVERS.test(file));
}

it('loads nothing of an observer that the environment does not ask for, and one file for each that it does', async () => {
  expect(await loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: '', SCORE_BATCH_METRICS_FILE: '' })).toEqual([]);
  expect(await loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'TRUE' })).toEqual([]);
  const folder = await temporaryFolder();
  expect(await loaded({ SCORE_BATCH_METRICS_FILE: path.join(folder, '{job}.prom') })).toHaveLength(1);
  expect(await loaded({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:1' })).toHaveLength(1);
}, 120_000);

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatchProcess } from '../support/score-batch.ts';
import { deliveringProject, WEBHOOK } from './project.ts';
import { webhookServer } from './webhook-server.ts';

const OF_DELIVERY = /\/cli-deliver\w*\.js$|\/nodemailer\//;

/** All files that a run has loaded. */
async function loaded(folder: string, environment: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const coverage = await temporaryFolder();
  const ended = await scoreBatchProcess(folder, ['--week'], { ...environment, NODE_V8_COVERAGE: coverage });
  expect(ended.code, ended.stderr).toBe(0);
  const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(path.join(coverage, name), 'utf8')));
  return reports.flatMap((text) => (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url));
}

it('is loaded by a job that tells somebody only, and nodemailer by one that sends mail only', async () => {
  expect((await loaded(await linearProject())).filter((file) => OF_DELIVERY.test(file))).toEqual([]);
  const { url } = await webhookServer();
  const files = await loaded(await deliveringProject(WEBHOOK), { CHURN_WEBHOOK_URL: url });
  expect(files.filter((file) => OF_DELIVERY.test(file)).map((file) => path.basename(file))).toEqual(['cli-deliver.js']);
});

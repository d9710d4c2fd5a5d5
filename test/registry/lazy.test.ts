import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatchProcess } from '../support/score-batch.ts';

const API = '/api/2.0/mlflow';

/** Built files that a run has loaded, and that know MLflow's API. */
async function loaded(folder: string, code: number): Promise<string[]> {
  const coverage = await temporaryFolder();
  const ended = await scoreBatchProcess(folder, ['-q', '--week'], {
    NODE_V8_COVERAGE: coverage,
    MLFLOW_TRACKING_URI: undefined,
  });
  expect(ended.code, ended.stderr).toBe(code);
  const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(path.join(coverage, name), 'utf8')));
  const urls = reports.flatMap((text) => (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url));
  const files = [...new Set(urls)].filter((url) => url.includes('/dist/')).map((url) => fileURLToPath(url));
  expect(files.length).toBeGreaterThan(1);
  const texts = await Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
  return texts.filter(({ text }) => text.includes(API)).map(({ file }) => file);
}

it('a job whose model is a folder loads nothing of the registry', async () => {
  expect(await loaded(await linearProject(), 0)).toEqual([]);
  // What a job with a registered model loads is seen.
  const registered = await linearProject({ edit: (job) => job.replace('model: model', 'model: models:/linear@champion') });
  expect(await loaded(registered, 78)).not.toEqual([]);
});

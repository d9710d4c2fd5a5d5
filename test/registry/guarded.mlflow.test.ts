import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { type Mlflow, startMlflow } from './mlflow-server.ts';

// A real tracking server of MLflow with users and passwords.

let mlflow: Mlflow;
beforeAll(async () => {
  mlflow = await startMlflow(true);
});
afterAll(() => mlflow?.stop());

it('a user without a password or without rights ends with 77, even if the job allows the version that was pinned last', async () => {
  const folder = await linearProject({
    edit: (job) => `${job.replace('model: model', 'model: models:/guarded@champion')}registry: { when_down: pinned }\n`,
  });
  const cache = path.join(await temporaryFolder(), 'models');
  const call = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
    scoreBatch(folder, args, { ...mlflow.environment, SCORE_BATCH_MODEL_CACHE: cache, ...environment });
  expect(await call(['model', 'push', 'model', '--name', 'guarded', '--alias', 'champion'])).toMatchObject({ code: 0 });
  expect(await call(['--week', '1997-W11'])).toMatchObject({ code: 0 });
  const wrong = { MLFLOW_TRACKING_PASSWORD: 'not the password' };
  const other = { MLFLOW_TRACKING_USERNAME: 'without-rights', MLFLOW_TRACKING_PASSWORD: 'a password of a test' };
  await mlflow.addUser(other.MLFLOW_TRACKING_USERNAME, other.MLFLOW_TRACKING_PASSWORD);
  for (const [environment, status] of [
    [wrong, 401],
    [other, 403],
  ] as const) {
    for (const args of [
      ['--week', '1997-W11'],
      ['model', 'push', 'model', '--name', 'guarded', '--alias', 'champion'],
    ]) {
      const { code, stderr } = await call(args, environment);
      expect({ code, stderr }).toEqual({ code: 77, stderr: expect.stringContaining(`answers with ${status}`) });
      expect(stderr).not.toContain(environment.MLFLOW_TRACKING_PASSWORD);
    }
  }
});

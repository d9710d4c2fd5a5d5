import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { locateJob, projectRoot } from '../../src/job/locate.ts';
import { presentError } from '../../src/terminal/error.ts';
import { temporaryFolder } from '../support/project.ts';

async function projectWith(...files: string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const file of files) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), '');
  }
  return folder;
}

async function locate(folder: string, name?: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  return await locateJob(name, folder, environment).then(
    (file) => path.relative(folder, file),
    (error) => {
      const { text, exitCode } = presentError(error);
      return `${text.replaceAll(folder, 'PROJECT')}\nexit code ${exitCode}`;
    },
  );
}

it('finds the only YAML file of jobs/ without a name', async () => {
  const folder = await projectWith('jobs/churn.yaml', 'jobs/churn.sql', 'jobs/job.schema.json', 'other.yaml');
  expect(await locate(folder)).toBe('jobs/churn.yaml');
});

it('finds a job by its name, by its file name, and by a path from the folder', async () => {
  const folder = await projectWith('jobs/churn.yaml', 'jobs/hourly.yml', 'elsewhere/special.yaml');
  expect(await locate(folder, 'churn')).toBe('jobs/churn.yaml');
  expect(await locate(folder, 'hourly')).toBe('jobs/hourly.yml');
  expect(await locate(folder, 'hourly.yml')).toBe('jobs/hourly.yml');
  expect(await locate(folder, 'elsewhere/special.yaml')).toBe('elsewhere/special.yaml');
  expect(await locate(folder, path.join(folder, 'jobs/churn.yaml'))).toBe('jobs/churn.yaml');
});

it('uses SCORE_BATCH_JOB without --job', async () => {
  const folder = await projectWith('jobs/churn.yaml', 'jobs/hourly.yaml');
  expect(await locate(folder, undefined, { SCORE_BATCH_JOB: 'hourly' })).toBe('jobs/hourly.yaml');
  expect(await locate(folder, 'churn', { SCORE_BATCH_JOB: 'hourly' })).toBe('jobs/churn.yaml');
});

it('refuses no job, several jobs and an unknown job, with the existing names', async () => {
  const two = await projectWith('jobs/churn-weekly.yaml', 'jobs/hourly.yml');
  const shown = [
    await locate(await projectWith()),
    await locate(two),
    await locate(two, 'churn-weakly'),
    await locate(two, 'x'),
    await locate(await projectWith(), 'churn'),
  ];
  expect(shown.join('\n\n')).toMatchInlineSnapshot(`
    "error: there is no job file in PROJECT/jobs
    hint: name a job file with --job, choose the project folder with -C, or create a job with \`score-batch init NAME\`
    exit code 64

    error: there are 2 job files in PROJECT/jobs
    hint: choose one with --job: churn-weekly, hourly
    exit code 64

    error: there is no job churn-weakly
    hint: did you mean churn-weekly?
    exit code 64

    error: there is no job x
    hint: choose from churn-weekly, hourly
    exit code 64

    error: there is no job churn
    hint: looked for PROJECT/jobs/churn.yaml and PROJECT/jobs/churn.yml
    exit code 64"
  `);
});

it('takes the nearest folder that contains jobs/ as the project root, else the job’s own', async () => {
  const folder = await projectWith('jobs/deep/er/churn.yaml', 'inner/jobs/churn.yaml');
  expect(projectRoot(path.join(folder, 'jobs/deep/er/churn.yaml'))).toBe(folder);
  expect(projectRoot(path.join(folder, 'inner/jobs/churn.yaml'))).toBe(path.join(folder, 'inner'));
  const alone = await projectWith('churn.yaml');
  expect(projectRoot(path.join(alone, 'churn.yaml'))).toBe(alone);
});

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { ledgerStates } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

const CSV = 'reports/linear-1997-W11.csv';

/** A project with a file of the user's own at the report's path. */
async function withForeignFile(): Promise<string> {
  const folder = await linearProject();
  await mkdir(path.join(folder, 'reports'));
  await writeFile(path.join(folder, CSV), 'mine');
  return folder;
}

it('refuses a run before any row moves if the job did not write the existing file, unless forced', async () => {
  const folder = await withForeignFile();
  expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
    "exit 78
    stderr:
    error: <project>/reports/linear-1997-W11.csv already exists, and this job did not write it
    hint: move it, choose another path for report.csv, or replace it with --force"
  `);
  expect((await scoreBatch(folder, ['plan', '--week'])).code).toBe(78);
  expect(await ledgerStates(folder)).toEqual([]);
  expect(await readFile(path.join(folder, CSV), 'utf8')).toBe('mine');
  const forced = await scoreBatch(folder, ['--week', '--force']);
  expect(forced.code, forced.stderr).toBe(0);
  const csv = await readFile(path.join(folder, CSV), 'utf8');
  expect(csv).toMatch(/^window_label,user_id/);
  // Now it is the job's own file.
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(csv);
});

it('refuses to replace such a file in the report command too', async () => {
  const folder = await withForeignFile();
  const job = path.join(folder, 'jobs', 'job.yaml');
  const text = await readFile(job, 'utf8');
  await writeFile(job, text.replace(/ {2}csv: .*\n/, ''));
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  await writeFile(job, text);
  const refused = await scoreBatch(folder, ['report', '--week']);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain(`${path.join(folder, CSV)} already exists, and this job did not write it`);
  expect(await readFile(path.join(folder, CSV), 'utf8')).toBe('mine');
  expect((await scoreBatch(folder, ['report', '--week', '--force'])).code).toBe(0);
  const csv = await readFile(path.join(folder, CSV), 'utf8');
  expect(csv).toMatch(/^window_label,user_id/);
  await rm(path.join(folder, CSV));
  expect((await scoreBatch(folder, ['report', '--week'])).code).toBe(0);
  expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(csv);
});

it('checks for such a file in the publish command at its report path', async () => {
  const folder = await withForeignFile();
  for (const phase of ['freeze', 'score']) expect((await scoreBatch(folder, [phase, '--week'])).code).toBe(0);
  expect((await scoreBatch(folder, ['publish', '--week'])).code).toBe(78);
  expect(await ledgerStates(folder)).not.toContain('published');
  expect((await scoreBatch(folder, ['publish', '--week', '--force'])).code).toBe(0);
  expect(await readFile(path.join(folder, CSV), 'utf8')).toMatch(/^window_label,user_id/);
});

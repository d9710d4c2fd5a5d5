import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createPending } from '../../src/report/file.ts';
import { presentError } from '../../src/terminal/error.ts';
import { temporaryFolder } from '../support/project.ts';

it('appears in its place only with the rename, whole, and leaves nothing beside it', async () => {
  const folder = path.join(await temporaryFolder(), 'reports', 'weekly');
  const file = path.join(folder, 'churn.csv');
  const pending = await createPending(file, 'run-1');
  const lines = 'größe,💶\n'.repeat(100_000);
  await pending.write('header\n');
  await pending.write(Buffer.from(lines));
  expect(existsSync(file)).toBe(false);
  await pending.finish();
  expect(existsSync(file)).toBe(false);
  await pending.rename();
  // A ledger that decides again asks for it again.
  await pending.rename();
  await pending.discard();
  expect(await readdir(folder)).toEqual(['churn.csv']);
  // Compared outside of expect: a difference of a megabyte is of no use to anybody.
  expect((await readFile(file, 'utf8')) === `header\n${lines}`).toBe(true);
});

it('replaces an older file, which stays as it is until then', async () => {
  const file = path.join(await temporaryFolder(), 'churn.csv');
  await writeFile(file, 'old');
  const pending = await createPending(file, 'run-1');
  await pending.write('new');
  await pending.finish();
  expect(await readFile(file, 'utf8')).toBe('old');
  await pending.rename();
  expect(await readFile(file, 'utf8')).toBe('new');
});

it('what is discarded leaves no file, before or after it is finished', async () => {
  const folder = await temporaryFolder();
  const finished = await createPending(path.join(folder, 'a.csv'), 'run-1');
  await finished.finish();
  const open = await createPending(path.join(folder, 'b.csv'), 'run-1');
  for (const pending of [finished, open]) {
    await pending.discard();
    await pending.discard();
  }
  expect(await readdir(folder)).toEqual([]);
});

it('two runs that write the same report do not write the same file', async () => {
  const file = path.join(await temporaryFolder(), 'churn.csv');
  const [one, two] = [await createPending(file, 'run-1'), await createPending(file, 'run-2')];
  await one.write('one');
  await two.write('two');
  for (const pending of [two, one]) {
    await pending.finish();
    await pending.rename();
  }
  expect(await readFile(file, 'utf8')).toBe('one');
});

it('a place that cannot be written is told with what is published and what to do', async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'churn.csv'));
  await writeFile(path.join(folder, 'reports'), 'a file where the folder should be');
  const failures: string[] = [];
  const note = (error: unknown) => {
    const { text, exitCode } = presentError(error);
    failures.push(`${text.replaceAll(folder, 'PROJECT')}\nexit code ${exitCode}`);
  };
  const pending = await createPending(path.join(folder, 'churn.csv'), 'run-1');
  await pending.finish();
  await pending.rename().catch(note);
  await pending.discard();
  await createPending(path.join(folder, 'reports', 'churn.csv'), 'run-1').catch(note);
  expect(failures.join('\n\n')).toMatchInlineSnapshot(`
    "error: the report PROJECT/churn.csv cannot be written: EISDIR: illegal operation on a directory
    hint: the scores are published; mend the folder and run \`score-batch report\` for the same window
    exit code 74

    error: the report PROJECT/reports/churn.csv cannot be written: EEXIST: file already exists
    hint: the scores are published; mend the folder and run \`score-batch report\` for the same window
    exit code 74"
  `);
  expect((await readdir(folder)).sort()).toEqual(['churn.csv', 'reports']);
});

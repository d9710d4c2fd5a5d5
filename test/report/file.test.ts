import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createPending } from '../../src/report/file.ts';
import { presentError } from '../../src/terminal/error.ts';
import { temporaryFolder } from '../support/project.ts';

const FIRST = { number: 1, runId: '1997-W11-000000000001' };
const SECOND = { number: 2, runId: '1997-W11-000000000002' };

it('appears with the rename, whole, and leaves no other file', async () => {
  const folder = path.join(await temporaryFolder(), 'reports', 'weekly');
  const file = path.join(folder, 'churn.csv');
  const pending = await createPending(file, FIRST);
  const lines = 'größe,💶\n'.repeat(100_000);
  await pending.write('header\n');
  await pending.write(Buffer.from(lines));
  expect(existsSync(file)).toBe(false);
  await pending.finish();
  expect(existsSync(file)).toBe(false);
  await pending.replace();
  // The ledger may decide twice and then calls it twice.
  expect(await pending.replace()).toBe(true);
  await pending.discard();
  expect(await readdir(folder)).toEqual(['churn.csv']);
  // Compared outside of expect, since a diff of a megabyte is useless.
  expect((await readFile(file, 'utf8')) === `header\n${lines}`).toBe(true);
});

it('replaces an older file, which stays unchanged until then', async () => {
  const file = path.join(await temporaryFolder(), 'churn.csv');
  await writeFile(file, 'old');
  const pending = await createPending(file, FIRST);
  await pending.write('new');
  await pending.finish();
  expect(await readFile(file, 'utf8')).toBe('old');
  await pending.replace();
  expect(await readFile(file, 'utf8')).toBe('new');
});

it('leaves no file when discarded, before or after it is finished', async () => {
  const folder = await temporaryFolder();
  const finished = await createPending(path.join(folder, 'a.csv'), FIRST);
  await finished.finish();
  const open = await createPending(path.join(folder, 'b.csv'), FIRST);
  for (const pending of [finished, open]) {
    await pending.discard();
    await pending.discard();
  }
  expect(await readdir(folder)).toEqual([]);
});

it('lets two processes write the report of one publication to separate files; either is enough', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'churn.csv');
  const [one, two] = [await createPending(file, FIRST), await createPending(file, FIRST)];
  await one.write('one');
  await two.write('two');
  for (const pending of [two, one]) await pending.finish();
  expect(await two.replace()).toBe(true);
  const late = await createPending(file, FIRST);
  await late.finish();
  await two.removeOthers();
  expect(await one.replace()).toBe(false);
  expect(await readFile(file, 'utf8')).toBe('two');
  // It started when the report was in place, so it has a reason to write it again.
  expect(await late.replace()).toBe(true);
  await late.removeOthers();
  expect(await readdir(folder)).toEqual(['churn.csv']);
});

it('stops the writer of an older publication, but not that of a newer one', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'churn.csv');
  const [older, newer, newest] = [
    await createPending(file, FIRST),
    await createPending(file, SECOND),
    await createPending(file, { number: 10, runId: '1997-W11-000000000010' }),
  ];
  const elsewhere = await createPending(path.join(folder, 'churn.csv.2.csv'), FIRST);
  for (const pending of [older, newer, newest, elsewhere]) await pending.finish();
  expect(await newer.replace()).toBe(true);
  expect(await older.replace()).toBe(false);
  expect(await newest.replace()).toBe(true);
  expect(await elsewhere.replace()).toBe(true);
  expect((await readdir(folder)).sort()).toEqual(['churn.csv', 'churn.csv.2.csv']);
});

it('removes the other pending files of its publication only after it has written the report', async () => {
  const folder = await temporaryFolder();
  const named = (publication: number, host: string) => `.churn.csv.${publication}.${SECOND.runId}.${host}.1-0123abcd`;
  const newer = [named(3, hostname()), named(3, 'another.host')];
  const others = [named(1, hostname()), named(1, 'another.host'), named(2, hostname()), named(2, 'another.host'), ...newer];
  const foreign = ['.churn.csv', '.churn.csv.2.notes'];
  for (const name of [...others, ...foreign]) await writeFile(path.join(folder, name), '');
  const discarded = await createPending(path.join(folder, 'churn.csv'), SECOND);
  await discarded.finish();
  await discarded.discard();
  expect((await readdir(folder)).sort()).toEqual([...others, ...foreign].sort());
  const pending = await createPending(path.join(folder, 'churn.csv'), SECOND);
  await pending.finish();
  expect(await pending.replace()).toBe(true);
  const same = [named(2, hostname()), named(2, 'another.host')];
  expect((await readdir(folder)).sort()).toEqual([...same, ...newer, ...foreign, 'churn.csv'].sort());
  await pending.removeOthers();
  expect((await readdir(folder)).sort()).toEqual([...newer, ...foreign, 'churn.csv'].sort());
});

it('reports a path that cannot be written, with what is published and what to do', async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'churn.csv'));
  await writeFile(path.join(folder, 'reports'), 'a file where the folder should be');
  const failures: string[] = [];
  const note = (error: unknown) => {
    const { text, exitCode } = presentError(error);
    failures.push(`${text.replaceAll(folder, 'PROJECT')}\nexit code ${exitCode}`);
  };
  const pending = await createPending(path.join(folder, 'churn.csv'), FIRST);
  await pending.finish();
  await pending.replace().catch(note);
  await pending.discard();
  await createPending(path.join(folder, 'reports', 'churn.csv'), FIRST).catch(note);
  expect(failures.join('\n\n')).toMatchInlineSnapshot(`
    "error: the report PROJECT/churn.csv cannot be written: EISDIR: illegal operation on a directory
    hint: the scores are published; fix the folder and run \`score-batch report\` for the same window
    exit code 74

    error: the report PROJECT/reports/churn.csv cannot be written: EEXIST: file already exists
    hint: the scores are published; fix the folder and run \`score-batch report\` for the same window
    exit code 74"
  `);
  expect((await readdir(folder)).sort()).toEqual(['churn.csv', 'reports']);
});

import { chmod, mkdir, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { dropWorkFolder, makeWorkFolder, removeWorkFolder, workFolders } from '../../src/warehouse/work-folder.ts';
import { temporaryFolder } from '../support/project.ts';

const PLACE = { warehouse: ['bigquery'], job: 'job' };

let shared: string;
beforeEach(async () => {
  shared = await temporaryFolder();
  vi.stubEnv('TMPDIR', shared);
});
afterEach(() => vi.unstubAllEnvs());

it('is of this user only, the same for every process of a run, and goes', async () => {
  const folder = await makeWorkFolder(PLACE, 'run');
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect(await makeWorkFolder(PLACE, 'run')).toBe(folder);
  expect(await makeWorkFolder(PLACE, 'other')).not.toBe(folder);
  await removeWorkFolder(PLACE, 'run');
  expect(await readdir(shared)).toHaveLength(1);
});

it('is not taken from somebody who was there first', async () => {
  const folder = await makeWorkFolder(PLACE, 'run');
  await chmod(folder, 0o777);
  const refused = { kind: 'permission', hint: expect.stringContaining('TMPDIR') };
  await expect(makeWorkFolder(PLACE, 'run')).rejects.toMatchObject(refused);
  await rm(folder, { recursive: true });
  await mkdir(path.join(shared, 'elsewhere'), { mode: 0o700 });
  await symlink(path.join(shared, 'elsewhere'), folder);
  await expect(makeWorkFolder(PLACE, 'run')).rejects.toMatchObject(refused);
});

it('is found by its mark, and so is one whose removal a kill has cut short', async () => {
  const made = await makeWorkFolder(PLACE, 'run');
  await makeWorkFolder({ ...PLACE, job: 'other' }, 'run');
  await mkdir(path.join(shared, 'score-batch-of-somebody'));
  expect(await workFolders(PLACE)).toMatchObject([{ name: made, run: 'run' }]);
  await rename(made, path.join(shared, 'score-batch-gone-0123'));
  const [left, ...more] = await workFolders(PLACE);
  expect([left?.run, more]).toEqual([undefined, []]);
  if (left) await dropWorkFolder(left);
  expect(await workFolders(PLACE)).toEqual([]);
  await removeWorkFolder(PLACE, 'run');
});

it('is found again by its mark, where it is of the same warehouse and job', async () => {
  const folder = await makeWorkFolder(PLACE, 'run');
  await makeWorkFolder({ ...PLACE, job: 'another' }, 'run');
  await makeWorkFolder({ ...PLACE, warehouse: ['another'] }, 'run');
  await mkdir(path.join(shared, 'score-batch-0123456789abcdef'), { mode: 0o700 });
  const left = await workFolders(PLACE);
  expect(left).toEqual([{ name: folder, run: 'run', deadline: expect.any(String) }]);
  for (const one of left) await dropWorkFolder(one);
  expect(await workFolders(PLACE)).toEqual([]);
  expect(await readdir(shared)).toHaveLength(3);
  // What is open to others may say anything of itself.
  await chmod(await makeWorkFolder(PLACE, 'run'), 0o755);
  expect(await workFolders(PLACE)).toEqual([]);
});

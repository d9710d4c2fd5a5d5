import { cp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/project.ts';
import { scoreBatch } from './support/score-batch.ts';
import { ask, change, INCREMENTAL, sliceProject } from './support/slice-project.ts';
import { killSlice, sliced } from './support/sliced.ts';
import { SCRATCH } from './support/steer.ts';

const REASON = ['--reason', 'request 4711'];

const SHADOW = `${INCREMENTAL}  shadow: { view: marketing.people }\n`;

/** With slices, one of which ends with the week, and in shadow: 50 is quarantined, 6 is deleted. */
async function project(): Promise<string> {
  const folder = await sliceProject({
    incremental: SHADOW,
    edit: (job) =>
      job
        .replace('{ high: top 10%, medium: top 30% }', '{ high: 0.6, medium: 0.5 }')
        .replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 5%'),
  });
  await change(folder, 'update users set a = 1000 where user_id = 50');
  await sliced(folder);
  await change(
    folder,
    "insert into users values (200, timestamp '1997-03-17 06:00', 1, 1, 'US', timestamp '1997-03-17 06:00')",
    'delete from users where user_id = 6',
  );
  await sliced(folder);
  await sliced(folder, ['--snapshot']);
  const { code, stderr } = await scoreBatch(folder, ['--week']);
  expect(code, stderr).toBe(0);
  return folder;
}

async function erase(folder: string, key: string, ...flags: string[]) {
  const { code, stdout, stderr } = await scoreBatch(folder, ['erase', '--key', key, ...REASON, '--json', ...flags]);
  expect(code, stderr).toBe(0);
  return { ...JSON.parse(stdout), stderr };
}

/** Tables that hold the person. */
async function holding(folder: string, key: string): Promise<string[]> {
  const tables = await ask(
    folder,
    "select table_name as name from duckdb_columns() where schema_name = 'marketing' and column_name = 'user_id' and not internal order by all",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const [counted] = await ask(folder, `select count(*) as n from marketing.${name} where user_id = ${key}`);
    if (counted?.n !== '0') found.push(String(name));
  }
  return found;
}

it('erases a person from the current table, its copy at the end of a week and its quarantine, and a tombstone, too', async () => {
  const folder = await project();
  expect(await holding(folder, '37')).toEqual(['current', 'current_boundary', 'report', 'scores']);
  const dry = await erase(folder, '37', '--dry-run');
  expect(await holding(folder, '37')).toHaveLength(4);
  const erased = await erase(folder, '037');
  const rows = { 'marketing.current': 1, 'marketing.current_boundary': 1, 'marketing.report': 1, 'marketing.scores': 1 };
  expect([dry.rows, erased.rows]).toEqual([rows, rows]);
  expect(erased.warnings).toEqual([
    'if the source still has the person, a later slice brings the person back to marketing.current, at the latest the next slice that reads all users',
  ]);
  expect((await erase(folder, '50')).rows).toEqual({
    ...{ 'marketing.current': 1, 'marketing.current_boundary': 1, 'marketing.current_quarantine': 1 },
    'marketing.scores_quarantine': 1,
  });
  expect(await ask(folder, 'select deleted from marketing.current where user_id = 6')).toEqual([{ deleted: true }]);
  expect((await erase(folder, '6')).rows).toEqual({ 'marketing.current': 1, 'marketing.current_boundary': 1 });
  for (const key of ['37', '50', '6']) expect(await holding(folder, key)).toEqual([]);
  expect((await erase(folder, '37')).stderr).toContain('nothing found');
  expect(await ask(folder, 'select count(*) as n from marketing.current')).toEqual([{ n: '98' }]);
  // Nobody is told whom: neither by the entries, nor by the ids.
  const entries = await ask(folder, `select details from marketing.score_batch_ledger where state = 'erased'`);
  expect(entries).toHaveLength(3);
  expect(JSON.stringify(entries)).not.toMatch(/\b(37|50|user_id)\b/);
  // The next slice follows, and agrees with the batch, which is without these people, too.
  const [next] = await sliced(folder);
  expect(next).toMatchObject({ kind: 'changes', outcome: { users: 98 } });
  const compared = await ask(
    folder,
    `select details ->> '$.shadow.within' as within from marketing.score_batch_ledger where state = 'compared'`,
  );
  expect(compared).toEqual([{ within: 'true' }]);
  // As the warning said.
  await sliced(folder, ['--snapshot']);
  expect(await holding(folder, '37')).toEqual(['current']);
  // The next slice finds fewer users than the one before has left, and knows why.
  await change(
    folder,
    "insert into users values (201, timestamp '1997-03-17 07:00', 1, 1, 'US', timestamp '1997-03-17 07:00')",
  );
  await sliced(folder);
  expect(await ask(folder, 'select user_id from marketing.current where user_id = 201')).toHaveLength(1);
});

it('erases from a current table without a batch, and from one that the job file does not name any more', async () => {
  const folder = await sliceProject();
  await sliced(folder);
  expect((await erase(folder, '37')).rows).toEqual({ 'marketing.current': 1 });
  const job = path.join(folder, 'jobs', 'job.yaml');
  await writeFile(job, (await readFile(job, 'utf8')).replace(/\nincremental:[\s\S]*/, '\n'));
  expect((await erase(folder, '38')).rows).toEqual({ 'marketing.current': 1 });
  expect(await ask(folder, 'select count(*) as n from marketing.current')).toEqual([{ n: '98' }]);
});

it('refuses while a slice may still publish, and drops what is left of one that has', async () => {
  const folder = await sliceProject();
  await sliced(folder);
  await change(folder, "insert into users values (37, timestamp '1997-03-10 22:00', 1, 1, 'US', timestamp '1997-03-10 22:00')");
  await killSlice(folder);
  const { code, stderr } = await scoreBatch(folder, ['erase', '--key', '37', ...REASON]);
  expect([code, stderr]).toEqual([75, expect.stringContaining('run `score-batch --slice` to finish it, then erase')]);
  expect(await holding(folder, '37')).toEqual(['current']);
  const kept = path.join(await temporaryFolder(), 'scratch');
  await cp(path.join(folder, SCRATCH), kept, { recursive: true });
  await sliced(folder);
  // As if the end of the slice had not come to its clean-up.
  await rename(path.join(folder, SCRATCH), `${kept}-empty`);
  await cp(kept, path.join(folder, SCRATCH), { recursive: true });
  const erased = await erase(folder, '37');
  expect(erased.rows).toEqual({ 'marketing.current': 1 });
  expect(erased.dropped.map((name: string) => path.basename(name)).sort()).toEqual([
    expect.stringMatching(/^current-[0-9a-f]+$/),
    expect.stringMatching(/^current-[0-9a-f]+\.keys$/),
  ]);
  expect((await readdir(path.join(folder, SCRATCH))).filter((name) => name.startsWith('current-'))).toEqual([]);
});

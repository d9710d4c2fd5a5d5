import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { stampsOf } from '../../src/warehouse/duckdb/stamp.ts';
import { linearProject } from '../support/linear-project.ts';
import { query, statements } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { copyProject } from '../support/steer.ts';
import { ERASE_EFFECTS } from './erase-effects.ts';
import { type CrashPoint, start } from './kill.ts';

const WAREHOUSE = 'data/warehouse.duckdb';
const KEY = 'person-37';
const ERASE = ['erase', '--key', KEY, '--reason', 'request 4711', '--json'];

/** A project with two publications of a window, of which one is replaced, rows that are kept, and report files. */
async function publishedProject(): Promise<string> {
  const folder = await linearProject({
    users: `select 'person-' || i as user_id, date '1997-03-10' as signup, (i % 20) / 10.0 as a, 0.5 as b, 'US' as country from range(60) as users(i)`,
    edit: (job) =>
      job
        .replace('source:\n', 'source:\n  keep_rows: 35 days\n')
        .replace('  csv:', '  page: reports/linear-{window}.html\n  csv:'),
  });
  for (const flag of ['--skip-published', '--fresh']) expect((await scoreBatch(folder, ['run', '--week', flag])).code).toBe(0);
  await statements(path.join(folder, WAREHOUSE), ['drop table users']);
  return folder;
}

/** A copy whose kept rows count as unchanged: the files are new ones. */
async function copied(project: string): Promise<string> {
  const folder = await copyProject(project);
  const scratch = path.join(folder, `${WAREHOUSE}.scratch`);
  for (const run of await readdir(scratch)) {
    const frozen = path.join(scratch, run, 'frozen');
    const files = (await readdir(frozen, { recursive: true })).filter((name) => name.endsWith('.parquet'));
    const manifest = JSON.parse(await readFile(path.join(frozen, 'frozen.json'), 'utf8'));
    const stamps = await stampsOf(files.map((name) => path.join(frozen, name)));
    await writeFile(path.join(frozen, 'frozen.json'), JSON.stringify({ ...manifest, stamps }));
  }
  return folder;
}

async function eraseProcess(folder: string, point?: CrashPoint) {
  const outcome = await start({ folder, environment: {} } as Parameters<typeof start>[0], point, ERASE).ended;
  const log = await readFile(path.join(folder, 'effects.log'), 'utf8');
  return { ...outcome, effects: log.split('\n').slice(0, -1) };
}

/** Everything but the ledger and what was recorded when, and every file that has the key. */
async function stateOf(folder: string) {
  const rows = (sql: string) => query(path.join(folder, WAREHOUSE), sql);
  const tables = (await rows("select table_name as name from duckdb_tables() where schema_name = 'marketing'")).map(
    ({ name }) => String(name),
  );
  const content: Record<string, unknown> = {};
  for (const name of tables.filter((one) => one !== 'score_batch_ledger').sort())
    content[name] = await rows(`select * from marketing.${name} order by all`);
  const erasures = await rows(
    `select count(*) as n from marketing.score_batch_ledger where state = 'erased' and details not like '%${KEY}%'`,
  );
  const files = (await readdir(folder, { recursive: true })).filter((name) =>
    /^(reports|data\/warehouse\.duckdb\.scratch)\//.test(name),
  );
  const holding: string[] = [];
  for (const name of files.filter((one) => /\.(csv|html)$/.test(one)))
    if ((await readFile(path.join(folder, name), 'utf8')).includes(KEY)) holding.push(name);
  const parquet = files.filter((one) => one.endsWith('.parquet')).map((name) => `'${path.join(folder, name)}'`);
  const kept = await rows(
    `select count(*) as n, count(*) filter (c0 = '${KEY}') as person from read_parquet([${parquet.filter((one) => one.includes('/rows/')).join(', ')}])`,
  );
  return { content, erasures, kept, holding, left: files.filter((name) => /gone|erasing|erased|\/\.[^/]+$/.test(name)) };
}

it('erase, killed at every durable effect and repeated, leaves what an uninterrupted one leaves', async () => {
  const project = await publishedProject();
  const plain = await copied(project);
  const uninterrupted = await eraseProcess(plain);
  expect(uninterrupted.code, uninterrupted.stderr).toBe(0);
  const names = uninterrupted.effects.map((effect) =>
    ERASE_EFFECTS.filter(({ pattern }) => pattern.test(effect)).map(({ name }) => name),
  );
  expect(uninterrupted.effects.filter((_, i) => names[i]?.length !== 1).map((effect) => effect.slice(0, 200))).toEqual([]);
  expect(ERASE_EFFECTS.map(({ name }) => name).filter((name) => !names.flat().includes(name))).toEqual([]);
  const expected = await stateOf(plain);
  expect(expected).toMatchObject({ erasures: [{ n: '1' }], kept: [{ n: '118', person: '0' }], holding: [], left: [] });

  for (const { name, pattern, phases } of ERASE_EFFECTS) {
    for (const phase of phases) {
      const folder = await copied(project);
      const killed = await eraseProcess(folder, { pattern, phase, occurrence: 1 });
      expect(killed.signal, `${phase} ${name}: ${killed.stderr}`).toBe('SIGKILL');
      const { code, stderr } = await eraseProcess(folder);
      expect(code, `${phase} ${name}: ${stderr}`).toBe(0);
      expect(await stateOf(folder), `${phase} ${name}`).toEqual(expected);
    }
  }
}, 1_800_000);

import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { start } from './crash/kill.ts';
import { keptFolder, once } from './support/kept.ts';
import { LINEAR_USERS, linearProject } from './support/linear-project.ts';
import { query, statements, temporaryFolder } from './support/project.ts';
import { scoreBatch, startScoreBatch } from './support/score-batch.ts';

const WAREHOUSE = 'data/warehouse.duckdb';
const FILES = ['csv', 'parquet', 'xlsx', 'html'].map((kind) => `reports/linear-1997-W11.${kind}`);
const TABLES = ['scores', 'scores_quarantine', 'report', 'summary'];

/** Two publications: the second is bad, since somebody doubled a column of the source. */
const published = once(async () => {
  const made = await linearProject({
    users: `${LINEAR_USERS} union all select 1000, date '1997-03-11', 500.0, 0.5, 'US'`,
    edit: (job) =>
      job
        .replace(
          '  csv:',
          '  parquet: reports/linear-{window}.parquet\n  xlsx: reports/linear-{window}.xlsx\n  page: reports/linear-{window}.html\n  csv:',
        )
        .replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 5%'),
  });
  const folder = await keptFolder();
  await cp(made, folder, { recursive: true });
  await week(folder);
  const good = await contents(folder);
  await warehouse(folder, 'update users set a = a / 10 where user_id < 1000');
  await week(folder);
  return { folder, good, bad: await contents(folder) };
});

/** A copy of its own for each test. */
async function projects() {
  const { folder: kept, ...rest } = await published();
  const folder = await temporaryFolder();
  await cp(kept, folder, { recursive: true });
  return { folder, ...rest };
}

describe('a rollback', () => {
  it('shows what changes, restores tables and files byte for byte, and leaves a publication with the next number', async () => {
    const { folder, good, bad } = await projects();
    expect(bad.tables).not.toEqual(good.tables);
    const dry = await rollback(folder, '--dry-run');
    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stderr).toMatch(/from publication 2, run 1997-W11-\w+, .*, model linear 1: 100 scores, 1 quarantined\n/);
    expect(dry.stderr).toMatch(
      /95 users of 100 will get a different score, 0 will come back, 0 will disappear; mean score 0\.\d{4} → 0\.\d{4}/,
    );
    expect(await contents(folder)).toEqual(bad);

    const done = await rollback(folder, '--reason', 'column a was divided by ten');
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).toMatch(/to see what changed, run: score-batch compare 1997-W11-\w+ 1997-W11-\w+\n$/);
    expect(await contents(folder)).toEqual(good);
    const published = (await entries(folder)).filter(({ publication }) => publication !== null);
    expect(published.map(({ publication }) => publication)).toEqual(['1', '2', '3']);
    expect(published[2]?.run_id).toBe(published[0]?.run_id);
    expect(JSON.parse(String(published[2]?.details)).rollback).toMatchObject({
      publication: 1,
      from: { run_id: published[1]?.run_id, publication: 2 },
      reason: 'column a was divided by ten',
    });
    expect(await readFile(path.join(folder, FILES[3] ?? ''), 'utf8')).toContain('column a was divided by ten');
    const { runs } = JSON.parse((await scoreBatch(folder, ['status', '--json'])).stdout);
    expect(runs.map(({ current, tables_differ, state }: Record<string, unknown>) => [current, tables_differ, state])).toEqual([
      [true, [], 'completed'],
      [false, [], 'completed'],
    ]);
  });

  it('does nothing the second time, and does not go back to what was rolled back without --force', async () => {
    const { folder, good, bad } = await projects();
    const [first, second] = (await entries(folder)).flatMap(({ run_id, state }) =>
      state === 'started' ? [String(run_id)] : [],
    );
    expect((await rollback(folder)).code).toBe(0);
    const again = await rollback(folder, '--to', first ?? '');
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('is already current')]);
    const back = await rollback(folder);
    expect([back.code, back.stderr]).toEqual([65, expect.stringContaining('were rolled back: publication 2')]);
    expect(await contents(folder)).toEqual(good);
    const forced = await rollback(folder, '--to', second ?? '', '--force');
    expect(forced.code, forced.stderr).toBe(0);
    expect(await contents(folder)).toEqual(bad);
  });

  it('keeps a run from publishing again what was rolled back, until its scores are others', async () => {
    const { folder, good } = await projects();
    expect((await rollback(folder)).code).toBe(0);
    const cron = await scoreBatch(folder, ['--week']);
    expect([cron.code, cron.stderr]).toEqual([
      65,
      expect.stringMatching(/get back scores that were rolled back[\s\S]*--force/),
    ]);
    expect(await contents(folder)).toEqual(good);
    await warehouse(folder, 'update users set a = a * 10 where user_id < 1000');
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    const { publication } = (await entries(folder)).findLast((entry) => entry.publication !== null) ?? {};
    expect(publication).toBe('4');
    // A rollback is not forgotten with the next publication.
    await warehouse(folder, 'update users set a = a / 10 where user_id < 1000');
    expect((await scoreBatch(folder, ['--week'])).code).toBe(65);
    const forced = await scoreBatch(folder, ['--week', '--force']);
    expect(forced.code, forced.stderr).toBe(0);
    // Somebody has decided, so cron may publish again.
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  });

  it('finishes its files where a process was killed between tables and files', async () => {
    const { folder, good, bad } = await projects();
    const point = { pattern: /^open .*linear-1997-W11\.csv/, occurrence: 1, phase: 'after' } as const;
    const { signal } = await start({ folder, environment: {} }, point, ['rollback', '--week', '1997-W11']).ended;
    expect(signal).toBe('SIGKILL');
    expect((await contents(folder)).tables).toEqual(good.tables);
    expect((await contents(folder)).files).toEqual(bad.files);
    const again = await rollback(folder);
    expect(again.code, again.stderr).toBe(0);
    expect(await contents(folder)).toEqual(good);
  });

  it.each([
    ['a run that was never published', ['--to', '1997-W11-nobody'], 64, /no run 1997-W11-nobody was ever published/],
    ['a window that is not published', ['--week', '1997-W10'], 65, /nothing is published for 1997-W10/],
    ['two windows', ['--date', '1997-03-10'], 64, /cannot be combined/],
  ])('is refused for %s', async (_, flags, code, message) => {
    const { folder, bad } = await projects();
    const args = flags.includes('--week') ? ['rollback', ...flags] : ['rollback', '--week', '1997-W11', ...flags];
    const refused = await scoreBatch(folder, args);
    expect([refused.code, refused.stderr]).toEqual([code, expect.stringMatching(message)]);
    expect(await contents(folder)).toEqual(bad);
  });

  it('is refused for a run whose rows gc has aged out, and for one of another layout', async () => {
    const { folder } = await projects();
    await warehouse(folder, "update marketing.scores_replaced set replaced_at = now() - interval '91 days'");
    const gc = await scoreBatch(folder, ['gc', '--apply']);
    expect([gc.code, gc.stdout]).toEqual([0, expect.stringContaining('marketing.scores_replaced')]);
    const aged = await rollback(folder);
    expect([aged.code, aged.stderr]).toEqual([65, expect.stringMatching(/no earlier publication of 1997-W11 is kept/)]);

    const other = await projects();
    const file = path.join(other.folder, 'jobs', 'job.yaml');
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace('keep: [country]', 'keep: []').replace('  segments: [country]\n', ''),
    );
    const refused = await rollback(other.folder);
    expect([refused.code, refused.stderr]).toEqual([
      78,
      expect.stringMatching(/columns that differ from those of the job now/),
    ]);
  });

  it('loses to a run that publishes meanwhile, or wins over it: one of the two, and nothing in between', async () => {
    const { folder } = await projects();
    await warehouse(folder, 'update users set a = a + 0.01 where user_id < 1000');
    const ended = await Promise.all([
      startScoreBatch(folder, ['--week', '1997-W11']).ended,
      startScoreBatch(folder, ['rollback', '--week', '1997-W11']).ended,
      startScoreBatch(folder, ['rollback', '--week', '1997-W11']).ended,
    ]);
    for (const { code, stderr } of ended) expect([0, 65, 75], stderr).toContain(code);
    expect(ended.some(({ code }) => code === 0)).toBe(true);
    const [{ runs, rows } = { runs: '', rows: '' }] = await query(
      path.join(folder, WAREHOUSE),
      'select count(distinct run_id) as runs, count(*) as rows from marketing.scores',
    );
    expect([runs, rows]).toEqual(['1', '100']);
    const { runs: shown } = JSON.parse((await scoreBatch(folder, ['status', '--json'])).stdout);
    expect(shown.filter(({ current }: { current: boolean }) => current)).toMatchObject([{ tables_differ: [] }]);
  });
});

async function week(folder: string): Promise<void> {
  const { code, stderr } = await scoreBatch(folder, ['-q', '--week', '1997-W11']);
  expect(code, stderr).toBe(0);
}

function rollback(folder: string, ...flags: string[]) {
  return scoreBatch(folder, ['rollback', '--week', '1997-W11', ...flags]);
}

function warehouse(folder: string, sql: string) {
  return statements(path.join(folder, WAREHOUSE), [sql]);
}

function entries(folder: string): Promise<Record<string, unknown>[]> {
  return query(path.join(folder, WAREHOUSE), 'select * from marketing.score_batch_ledger order by entry_number');
}

/** Every row of every table, and every byte of every file but the page, which names its publication. */
async function contents(folder: string) {
  const tables: Record<string, unknown> = {};
  for (const table of TABLES)
    tables[table] = await query(path.join(folder, WAREHOUSE), `select * from marketing.${table} order by all`);
  const files: Record<string, string> = {};
  for (const file of FILES.filter((name) => !name.endsWith('.html')))
    files[file] = (await readFile(path.join(folder, file))).toString('base64');
  return { tables, files };
}

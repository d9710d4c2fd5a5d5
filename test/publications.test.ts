import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LINEAR_QUERY, linearProject } from './support/linear-project.ts';
import { repository, statements } from './support/project.ts';
import { publishedRows, rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';
import { transcript } from './support/transcript.ts';

// What one publication means beside another: of an overlapping window, of another job, of another model, and of a table that
// somebody changed.

const JOB = 'jobs/job.yaml';
const MODEL = 'model/model.yaml';

async function edit(folder: string, file: string, change: (text: string) => string): Promise<void> {
  const name = path.join(folder, file);
  const before = await readFile(name, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(name, after);
}

/** Puts another model, which gives the same scores, into the bundle under the same name. */
async function changeModel(folder: string, version: string): Promise<void> {
  await copyFile(repository('test/fixtures/models/slow/model.onnx'), path.join(folder, 'model/model.onnx'));
  const sha256 = '055295364c1282470103ae76157e3429bf79c819e19ebd3b19537f43ecd49463';
  await edit(folder, MODEL, (yaml) =>
    yaml.replace(/sha256: .*/, `sha256: "${sha256}"`).replace(/version: .*/, `version: "${version}"`),
  );
}

async function ok(folder: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await scoreBatch(folder, [...args, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('windows that overlap', () => {
  const inBerlin = (folder: string) => edit(folder, JOB, (job) => job.replace('America/New_York', 'Europe/Berlin'));

  it('of one label are refused with both shown; a flag replaces the old one in every table at once', async () => {
    const folder = await linearProject();
    const { run_id: old } = await ok(folder, 'run', '--week');
    const before = await publishedRows(folder);
    await inBerlin(folder);
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: 1997-W11 overlaps a window that this job has published: users would be counted twice
        this run: 1997-W11, 1997-03-10 00:00 to 1997-03-17 00:00 Europe/Berlin (1997-03-09T23:00:00.000Z to 1997-03-16T23:00:00.000Z)
        published: 1997-W11, 1997-03-10 06:00 to 1997-03-17 06:00 Europe/Berlin (1997-03-10T05:00:00.000Z to 1997-03-17T05:00:00.000Z), run <id>, made with time_zone America/New_York
      hint: if time_zone has changed in the job file, change it back; or supersede the published windows with --replace-overlapping"
    `);
    expect(await publishedRows(folder)).toEqual(before);

    const summary = await ok(folder, 'run', '--week', '--replace-overlapping');
    expect(summary).toMatchObject({ state: 'published', supersedes_windows: [{ run_id: old }] });
    for (const table of ['scores', 'report']) {
      const found = await rowsOf(
        folder,
        `select count(*) as n, min(run_id) as run, max(run_id) as last from marketing.${table}`,
      );
      expect(found).toEqual([{ n: '100', run: summary.run_id, last: summary.run_id }]);
    }
    const users = await rowsOf(folder, "select sum(users) as n from marketing.summary where segment = 'all'");
    expect(users).toEqual([{ n: '100' }]);

    const { runs } = (await ok(folder, 'status')) as { runs: unknown[] };
    expect(runs).toMatchObject([
      { run_id: summary.run_id, state: 'completed', current: true, tables_differ: [] },
      { run_id: old, state: 'superseded', current: false, superseded_by: { run_id: summary.run_id, label: '1997-W11' } },
    ]);
    expect(await ok(folder, 'run', '--week', '--skip-published')).toMatchObject({ run_id: summary.run_id });

    // And back: what was replaced is not taken for published.
    await edit(folder, JOB, (job) => job.replace('Europe/Berlin', 'America/New_York'));
    const { code, stderr } = await scoreBatch(folder, ['report', '--week']);
    expect({ code, stderr }).toMatchObject({ code: 65, stderr: expect.stringContaining('is no longer published: run') });
  });
});

it('a second job is refused in the tables of the first, unless it says that they are shared', async () => {
  const folder = await linearProject();
  await ok(folder, 'run', '--week');
  const before = await publishedRows(folder);
  const job = await readFile(path.join(folder, JOB), 'utf8');
  const second = job.replace('name: linear', 'name: second').replace('reports/linear', 'reports/second');
  await writeFile(path.join(folder, 'jobs/second.yaml'), second);
  expect(transcript(await scoreBatch(folder, ['--job', 'second', '--week']), folder)).toMatchInlineSnapshot(`
    "exit 78
    stderr:
    error: second would publish to tables of another job, so its users would be counted twice
      marketing.scores holds rows of linear
      marketing.report holds rows of linear
      marketing.summary holds rows of linear
    hint: name other tables in the job file, or set sink.shared_tables: true and filter every count by job"
  `);
  // Where only what marketing reads is the same table, and another window is asked for.
  await writeFile(path.join(folder, 'jobs/second.yaml'), second.replace('table: marketing.scores', 'table: other.scores'));
  const { code, stderr } = await scoreBatch(folder, ['plan', '--job', 'second', '--week', '1997-W10']);
  expect({ code, stderr }).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('marketing.report holds rows of linear'),
  });
  expect(await publishedRows(folder)).toEqual(before);
  await writeFile(path.join(folder, 'jobs/second.yaml'), second.replace('sink:', 'sink:\n  shared_tables: true'));
  await ok(folder, 'run', '--job', 'second', '--week');
  expect(await rowsOf(folder, 'select job, count(*) as n from marketing.report group by job order by job')).toEqual([
    { job: 'linear', n: '100' },
    { job: 'second', n: '100' },
  ]);
});

describe('the model', () => {
  it('may not change under one version; under another one it is pointed out everywhere', async () => {
    const folder = await linearProject();
    await ok(folder, 'run', '--date', '1997-03-12');
    await changeModel(folder, '1');
    expect(transcript(await scoreBatch(folder, ['--date', '1997-03-13']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: this job has already published with a different model as version 1 of linear
        published: sha256 e147a59d862d193f24e0dce9501e081c8ed3a0f3f34e1e892ec39a6fed0ff165 (1997-03-12, run <id>)
        in the bundle now: sha256 055295364c1282470103ae76157e3429bf79c819e19ebd3b19537f43ecd49463
      hint: increase the version in model.yaml, so that each score can be traced to its model"
    `);
    await edit(folder, MODEL, (yaml) => yaml.replace('version: "1"', 'version: "2"'));
    const changed = { name: 'linear', version: '1', digest: expect.stringMatching(/^e147a59d/) };
    const next = { model_changed: { ...changed, window: '1997-03-12' } };
    expect(await ok(folder, 'plan', '--date', '1997-03-14')).toMatchObject(next);
    const { code, stderr } = await scoreBatch(folder, ['--date', '1997-03-14']);
    expect(code).toBe(0);
    expect(stderr).toContain('\n              changed since 1997-03-12, which linear 1 (sha256 e147a59d862d…) scored\n');
    const { stdout } = await scoreBatch(folder, ['status']);
    expect(stdout).toContain(': the model changed since 1997-03-12, which linear 1 (sha256 e147a59d862d…) scored\n');
    const [ledger] = await rowsOf(
      folder,
      "select details->'model_changed'->>'window' as since from marketing.score_batch_ledger where window_label = '1997-03-14' and state = 'published'",
    );
    expect(ledger).toEqual({ since: '1997-03-12' });
  });

  /** Two weeks on both sides of the reference: each within the limit from it, and far from each other. */
  const turned = (first: number, second: number) => `
    select i as user_id, date '1997-03-03' + cast(7 * (i // 100) as integer) as signup,
      case when i % 100 < case when i < 100 then ${first} else ${second} end then -1.0 else 1.0 end as a,
      cast(null as double) as b, 'US' as country
    from range(200) as users(i)`;
  const drifting = (first: number, second: number) =>
    linearProject({
      users: turned(first, second),
      edit: (job) => job.replace('min_rows: 1', 'min_rows: 1\n  max_score_psi: 0.3\n  psi_min_rows: 100'),
    });

  it('drift from the window before is refused too, with a hint of its own', async () => {
    const folder = await drifting(75, 25);
    expect(await ok(folder, 'run', '--week', '1997-W10')).toMatchObject({ score_psi_previous: null });
    const refused = await scoreBatch(folder, ['--week']);
    expect([refused.code, refused.stderr]).toEqual([
      65,
      expect.stringContaining('the scores drifted from those of 1997-W10, of the same model: PSI 1.099'),
    ]);
    // Scores of another model say nothing of the users.
    await changeModel(folder, '2');
    expect(await ok(folder, 'run', '--week')).toMatchObject({
      score_psi_previous: null,
      model_changed: { window: '1997-W10' },
    });
  });

  it('is measured in tenths of the window before where the bundle has no reference', async () => {
    const folder = await linearProject({
      users: turned(75, 25),
      edit: (job) => job.replace('min_rows: 1', 'min_rows: 1\n  psi_min_rows: 100'),
    });
    await edit(folder, MODEL, (yaml) => yaml.replace(/^reference:\n(?: .*\n)+/m, ''));
    await ok(folder, 'run', '--week', '1997-W10');
    const { score_psi, score_psi_previous } = await ok(folder, 'run', '--week');
    expect(score_psi).toBeNull();
    // (0.25 − 0.75) · ln(1/3), twice.
    expect(score_psi_previous).toBeCloseTo(Math.log(3), 9);
  });
});

describe('tables that somebody changed', () => {
  it('are not taken for published', async () => {
    const folder = await linearProject();
    await ok(folder, 'run', '--week');
    await statements(warehouseOf(folder), ['delete from marketing.scores where user_id < 5', 'delete from marketing.report']);
    const { code, stderr } = await scoreBatch(folder, ['--week', '--skip-published']);
    expect({ code, stderr }).toMatchObject({
      code: 65,
      stderr: expect.stringContaining('marketing.scores holds 95 of its 100 rows\n'),
    });
    expect((await scoreBatch(folder, ['publish', '--week'])).code).toBe(65);
    const { stdout } = await scoreBatch(folder, ['status']);
    expect(stdout).toContain('completed !');
    expect(stdout).toContain('marketing.scores holds 95 of its 100 rows; marketing.report holds 0 of its 100 rows: ');
    expect(stdout).not.toContain('what the tables hold now');
    await ok(folder, 'run', '--week');
    expect(await ok(folder, 'run', '--week', '--skip-published')).toMatchObject({ state: 'already published' });
  });

  it('are published again by a run whose report is missing', async () => {
    const folder = await linearProject({ files: { reports: 'a file where the folder should be' } });
    expect((await scoreBatch(folder, ['--week'])).code).toBe(74);
    await statements(warehouseOf(folder), ['delete from marketing.scores where user_id < 5']);
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect({ code, stderr }).toMatchObject({ code: 74, stderr: expect.stringContaining('the window will be published again') });
    expect(await rowsOf(folder, 'select count(*) as n from marketing.scores')).toEqual([{ n: '100' }]);
  });

  it('are the only ones that a report is made of, whatever the ledger says', async () => {
    const folder = await linearProject();
    await ok(folder, 'run', '--week');
    await statements(warehouseOf(folder), [
      'create schema secret',
      'create table secret.scores as select * replace (user_id + 1000 as user_id) from marketing.scores',
      `update marketing.score_batch_ledger set details = replace(details, '["marketing","scores"]', '["secret","scores"]')`,
    ]);
    expect(transcript(await scoreBatch(folder, ['report', '--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: the ledger says that 1997-W11 was published to secret.scores, but this job publishes to marketing.scores
      hint: if sink.table has changed since, run the window again to publish it to the new table; if not, someone changed the ledger"
    `);
  });
});

it('plan says what a run would be refused for', async () => {
  const folder = await linearProject();
  expect(await scoreBatch(folder, ['plan', '--week', '1997-W10'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('a run would end with 65: the window has no rows\n'),
  });
});

it('status does not guess about a run that has said how it ended', async () => {
  const folder = await linearProject({ query: LINEAR_QUERY.replace('a, b', 'cast(country as double) as a, b') });
  expect((await scoreBatch(folder, ['--week'])).code).toBe(78);
  const { stdout } = await scoreBatch(folder, ['status']);
  expect(stdout).toMatch(/: failed with this error at \d{4}-\d\d-\d\d \d\d:\d\d on \S+; the same command resumes it/);
  expect(stdout).not.toContain('is running');
  expect(stdout).toContain('started (America/New_York)');
});

import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LINEAR_QUERY, linearProject } from '../support/linear-project.ts';
import { statements } from '../support/project.ts';
import { rowsOf, warehouseOf } from '../support/published.ts';
import { scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { STAGED, slowProject, untilFiles } from '../support/steer.ts';
import { trainAgain } from '../support/trained-again.ts';
import { withPlaceholders } from '../support/transcript.ts';

const NOW = { SCORE_BATCH_NOW: '1997-03-31T08:00:00-05:00' };

/** The text that says what is new: everything before the facts. */
async function news(folder: string, week = '1997-W11', environment = {}): Promise<string> {
  const { code, stdout, stderr } = await scoreBatch(folder, ['plan', '--week', week], { ...NOW, ...environment });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [text = ''] = withPlaceholders(stdout, folder).split('\n\n');
  return text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d(?= |$|,|:)/g, '<time>').replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '<time>');
}

async function json(folder: string, week = '1997-W11') {
  return JSON.parse((await scoreBatch(folder, ['plan', '--week', week, '--json'], NOW)).stdout);
}

async function edit(folder: string, file: string, change: (text: string) => string): Promise<void> {
  const name = path.join(folder, file);
  await writeFile(name, change(await readFile(name, 'utf8')));
}

// What is shown of it is in plan.test.ts.
it('creates for a first publication the tables that it shows, in the SQL of the warehouse', async () => {
  const folder = await linearProject();
  const { since, changes, creates, times_published } = await json(folder);
  expect({ since, changes, times_published }).toEqual({ since: null, changes: null, times_published: 0 });
  // What is shown can be run: it makes the tables that a run then accepts.
  await statements(warehouseOf(folder), [
    'create schema marketing',
    ...creates.map(({ statement }: { statement: string }) => statement),
  ]);
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  // What is left to create is for rows that the next run replaces.
  const kept = (await json(folder)).creates.map(({ table }: { table: string }) => table);
  expect(kept).toEqual(['scores', 'scores_quarantine', 'report', 'summary'].map((name) => `marketing.${name}_replaced`));
});

it('says that nothing has changed where the same run would be published again', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--week']);
  expect(await news(folder)).toMatchInlineSnapshot(`
    "linear 1997-W11 would be published for the second time: 100 rows, as before
      since publication 1 of 1997-W11, run <id>, <time> (America/New_York): nothing has changed
      tables that would be created for replaced rows: marketing.scores_replaced, marketing.scores_quarantine_replaced, marketing.report_replaced, marketing.summary_replaced"
  `);
  expect((await json(folder)).changes).toEqual({ sql: null, model: null, gates: [], bands: null, job: [], unknown: [] });
});

it('shows what is new since the publication of the window: rows, query, model, golden scores, gates, bands, other keys', async () => {
  const folder = await linearProject({
    query: `${LINEAR_QUERY.replace(' from', '\nfrom').replace(' where', '\nwhere')}\norder by user_id`,
  });
  await scoreBatch(folder, ['--week']);
  await edit(folder, 'jobs/query.sql', (sql) => sql.replace('\norder by', "\n  and country <> 'FR'\norder by"));
  await edit(folder, 'jobs/job.yaml', (job) =>
    job
      .replace('top 10%', 'top 5%')
      .replace('min_rows: 1', 'min_rows: 2\n  max_drop: 50%')
      .replace('key: [user_id]', 'key: [user_id]\n  duplicates: refuse'),
  );
  await trainAgain(folder, (yaml) =>
    yaml.replace('{ name: b, nullable: true, default: 0 }', '{ name: b, range: [0, 9], nullable: true, default: 1 }'),
  );
  await edit(folder, 'model/golden.csv', (csv) =>
    csv
      .split('\n')
      .filter((line) => !/^(2,-2|4,|100,-12)/.test(line))
      .join('\n')
      .replace('-100,12,', '-100,8,'),
  );
  expect(await news(folder)).toMatchInlineSnapshot(`
    "linear 1997-W11 would be published for the second time: 67 rows instead of 100, with model linear 2 instead of 1
      since publication 1 of 1997-W11, run <id>, <time> (America/New_York)
      query
        @@ -1,4 +1,5 @@
         select user_id, a, b, country
         from users
         where signup >= :window_start_date and signup < :window_end_date
        +  and country <> 'FR'
         order by user_id
      model
        linear 1 → linear 2, sha256 e147a59d862d… → 2af11dc1c4e7…
        b: default 0 → 1; range none → [0,9]
        golden row 2: 0.622 → 0.679
        golden row 4: 0.076 → 0.037
        golden row 5: 0.920 → 0.978
        3 of 5 golden rows in both bundles have a different score
      gates
        gates.min_rows: 1 → 2
        gates.max_drop: not set → 0.5
      bands
        high top 10 %, medium top 30 % → high top 5 %, medium top 30 %
      job file
        source.duplicates: "quarantine" → "refuse"
      tables that would be created for replaced rows: marketing.scores_replaced, marketing.scores_quarantine_replaced, marketing.report_replaced, marketing.summary_replaced"
  `);
  const { changes } = await json(folder);
  expect(changes.model.golden).toMatchObject({ recorded: 9, compared: 5 });
  expect(changes.model.golden.changed[0]).toMatchObject({ row: 2, before: 0.622459331 });
  expect(changes.gates).toContainEqual({ key: 'gates.max_drop', before: null, after: '0.5' });
});

it('compares a window that was never published with the latest earlier one', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--week']);
  await statements(warehouseOf(folder), [
    "insert into users select 1000 + i, date '1997-03-17', 1, 1, 'US' from range(42) as more(i)",
  ]);
  await trainAgain(folder);
  expect((await news(folder, '1997-W12')).split('\n').slice(0, 2)).toEqual([
    'linear 1997-W12 would be published for the first time: 42 rows, after 100 for 1997-W11, with model linear 2 instead of 1',
    '  since publication 1 of 1997-W11, run <id>, <time> (America/New_York)',
  ]);
  await scoreBatch(folder, ['--week', '1997-W12'], NOW);
  expect((await news(folder, '1997-W12')).split('\n')[0]).toBe(
    'linear 1997-W12 would be published for the second time: 42 rows, as before',
  );
});

it('leaves blank what an older version did not record', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--week']);
  const old = 'update marketing.score_batch_ledger set details = json_merge_patch(details, \'{"basis": null, "sql": null}\')';
  await statements(warehouseOf(folder), [old]);
  await trainAgain(folder);
  expect((await news(folder)).split('\n').slice(2, -1)).toEqual([
    '  model',
    expect.stringMatching(/^ {4}linear 1 → linear 2, sha256 e147a59d862d… → [0-9a-f]{12}…$/),
    '  not known, since the version that published it did not record it: query, job file, signature, golden scores',
  ]);
});

it('says why an unfinished run is not resumed, and what may be edited while one is', async () => {
  const folder = await slowProject();
  const running = startScoreBatch(folder, ['--week']);
  await untilFiles(running, folder, STAGED, 2);
  running.process.kill('SIGKILL');
  await running.ended;
  const resumed = await news(folder);
  expect(resumed.slice(resumed.indexOf('  unfinished'))).toMatchInlineSnapshot(`
    "  unfinished run <id>, which began at <time> (America/New_York), is resumed
        even after an edit of source.warehouse, sink.warehouse, source.freeze, source.unload, source.max_bytes, source.usd_per_tib, score.workers, score.max_memory, sink.shared_tables, sink.history, sink.history_for, source.keep_rows, labels, compare, challenger, registry, delivery, incremental, score.providers (devices)
        starts over after an edit of the query, the model bundle, the types of the columns, any other key of the job file"
  `);
  await edit(folder, 'jobs/job.yaml', (job) =>
    job.replace('min_rows: 1', 'min_rows: 2').replace('chunk_rows: 1000', 'chunk_rows: 1000\n  workers: 1'),
  );
  await edit(folder, 'jobs/query.sql', (sql) => `${sql} and user_id > 0`);
  const startsOver = await news(folder);
  expect(startsOver.slice(startsOver.indexOf('  unfinished'))).toMatchInlineSnapshot(`
    "  unfinished run <id>, which began at <time> (America/New_York), is not resumed
        different now: the query, the job file (gates.min_rows)"
  `);
  expect((await json(folder)).unfinished).toMatchObject({
    resumed: false,
    differs: ['query', 'job'],
    keys: ['gates.min_rows'],
  });
});

it('says that a published run lacks only its report', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--week']);
  await statements(warehouseOf(folder), ["delete from marketing.score_batch_ledger where state = 'completed'"]);
  await rm(path.join(folder, 'reports'), { recursive: true });
  expect((await news(folder)).split('\n')[0]).toMatch(
    /^linear 1997-W11 is published by run <id>, and only its report files would be written$/,
  );
});

it('says first that a run would be refused', async () => {
  const folder = await linearProject({ edit: (job) => job.replace('min_rows: 1', 'min_rows: 101') });
  expect((await news(folder)).split('\n')[0]).toBe(
    'linear 1997-W11 would be refused: the window has 100 rows, gates.min_rows is 101',
  );
});

it('colours what is added and removed where colours are wanted, and only there', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--week']);
  await edit(folder, 'jobs/query.sql', (sql) => `${sql}\n  and a > -1\n  -- a comment\u001b[31m`);
  const plain = (await scoreBatch(folder, ['plan', '--week'])).stdout;
  expect(plain).not.toContain('\u001b');
  const coloured = (await scoreBatch(folder, ['plan', '--week'], { FORCE_COLOR: '1' })).stdout;
  expect(coloured).toContain('\u001b[32m    +  and a > -1\u001b[39m\n');
  // Escapes of the SQL itself stay text.
  expect(withoutColours(coloured)).toBe(plain);
  expect((await scoreBatch(folder, ['plan', '--week', '--json'], { FORCE_COLOR: '1' })).stdout).not.toContain('\u001b');
});

it('records what a plan needs once per run, without the URL of a warehouse', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--week']);
  const entries = await rowsOf(folder, 'select state, details from marketing.score_batch_ledger order by entry_number');
  const bases = entries.map(({ state, details }) => [state, JSON.parse(String(details)).basis]);
  expect(bases.map(([state, basis]) => [state, basis !== undefined])).toEqual([
    ['started', true],
    ['published', false],
    ['completed', false],
  ]);
  const text = JSON.stringify(bases[0]?.[1]);
  expect(text).not.toContain('warehouse.duckdb');
  expect(text.length).toBeLessThan(4_000);
});

function withoutColours(text: string): string {
  return ['\u001b[32m', '\u001b[31m', '\u001b[39m', '\u001b[2m', '\u001b[22m'].reduce(
    (rest, code) => rest.replaceAll(code, ''),
    text,
  );
}

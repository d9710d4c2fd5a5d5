import { existsSync } from 'node:fs';
import { readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { query } from './support/project.ts';
import { scoreBatchProcess } from './support/score-batch.ts';

const WAREHOUSE = 'data/warehouse.duckdb';
const CSV = 'reports/linear-1997-W11.csv';

it.each<[freeze: string, chunks: number, none: string[]]>([
  ['always', 10, []],
  // Nobody freezes or stages what is scored on its way.
  ['never', 1, ['freeze', 'stage']],
])(
  'with freeze: %s it publishes a week, says what it did, and leaves nothing but tables and the report',
  async (freeze, chunks, none) => {
    const folder = await linearProject({ edit: (job) => job.replace('source:\n', `source:\n  freeze: ${freeze}\n`) });
    const { code, stdout, stderr } = await scoreBatchProcess(folder, ['--week', '--json']);
    expect(code).toBe(0);
    expect(stderr).toContain('published linear 1997-W11');
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({
      job: 'linear',
      window: { label: '1997-W11', start: '1997-03-10T05:00:00.000Z', end: '1997-03-17T05:00:00.000Z', kind: 'week' },
      state: 'published',
      rows: { frozen: 100, scored: 100, quarantined: 0 },
      chunks,
      chunks_resumed: 0,
      providers: { cpu: chunks },
      model: { name: 'linear', version: '1' },
      tables: [
        'marketing.scores',
        'marketing.scores_quarantine',
        'marketing.report',
        'marketing.summary',
        'marketing.score_batch_ledger',
      ],
      files: [path.join(folder, CSV)],
    });
    // A stage that took no time at all was not measured, or there is none.
    const took = (name: string, seconds: number) =>
      none.includes(name) ? expect(seconds, name).toBe(0) : expect(seconds, name).toBeGreaterThan(0);
    for (const stage of ['plan', 'freeze', 'score', 'reconcile', 'publish', 'report', 'clean_up']) {
      took(stage, summary.seconds[stage]);
    }
    for (const part of ['start', 'read', 'encode', 'model', 'write', 'stage', 'wait']) {
      took(part, summary.workers.seconds[part]);
    }
    expect(summary.bottleneck).toMatch(/of \d+\.\d s, \d+ %\)$/);
    const rows = await query(path.join(folder, WAREHOUSE), 'select count(*) as n, sum(rank) as ranks from marketing.report');
    expect(rows).toEqual([{ n: '100', ranks: '5050' }]);
    expect((await readFile(path.join(folder, CSV), 'utf8')).split('\n')).toHaveLength(102);
    expect(await readdir(path.join(folder, 'reports'))).toEqual(['linear-1997-W11.csv']);
    expect(await readdir(path.join(folder, `${WAREHOUSE}.scratch`))).toEqual([]);
  },
);

it('publishes to another DuckDB file than it reads from, which it makes, and leaves the source as it was', async () => {
  const folder = await linearProject({
    edit: (job) => job.replace('sink:\n', 'sink:\n  warehouse: duckdb:out/marketing.duckdb\n  scratch: staging\n'),
  });
  expect((await scoreBatchProcess(folder, ['--week'])).code).toBe(0);
  const sink = path.join(folder, 'out/marketing.duckdb');
  expect(await query(sink, 'select count(*) as n from marketing.marketing.scores')).toEqual([{ n: '100' }]);
  const tables = await query(path.join(folder, WAREHOUSE), 'select table_name from duckdb_tables()');
  expect(tables).toEqual([{ table_name: 'users' }]);
  expect(await readdir(`${sink}.staging`)).toEqual([]);
  expect(await readdir(path.join(folder, `${WAREHOUSE}.scratch`))).toEqual([]);
});

it.each([
  ['chunks and batches of one row', 'chunk_rows: 1', 'batch_rows: 1'],
  ['one chunk and a batch larger than it', 'chunk_rows: 5000', 'batch_rows: 4000'],
  ['batches that end where chunks do', 'chunk_rows: 100', 'batch_rows: 50'],
])('gives the same report with %s', async (_, chunks, batches) => {
  const usual = await linearProject();
  const other = await linearProject({ edit: (job) => job.replace('chunk_rows: 10', `${chunks}\n  ${batches}`) });
  for (const folder of [usual, other]) expect((await scoreBatchProcess(folder, ['--week', '--workers', '3'])).code).toBe(0);
  expect(await readFile(path.join(other, CSV), 'utf8')).toBe(await readFile(path.join(usual, CSV), 'utf8'));
});

it('works in a folder whose name holds what SQL and file patterns give a meaning to', async () => {
  const plain = await linearProject();
  const odd = path.join(path.dirname(plain), `it's [1] a=b * "x" {y} ${path.basename(plain)}`);
  await rename(plain, odd);
  try {
    const { code, stderr } = await scoreBatchProcess(odd, ['--week']);
    expect(stderr).toContain('published linear 1997-W11');
    expect(code).toBe(0);
    expect(existsSync(path.join(odd, CSV))).toBe(true);
  } finally {
    // Back where the test's own clean-up looks for it.
    await rename(odd, plain);
  }
});

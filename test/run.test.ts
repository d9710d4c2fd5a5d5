import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { query } from './support/project.ts';
import { scoreBatch } from './support/score-batch.ts';

it('publishes a week and says what it did', async () => {
  const folder = await linearProject();
  const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json']);
  expect(stderr).toContain('published linear 1997-W11');
  expect(code).toBe(0);
  const summary = JSON.parse(stdout);
  expect(summary.rows).toEqual({ frozen: 100, scored: 100, quarantined: 0 });
  const rows = await query(
    path.join(folder, 'data/warehouse.duckdb'),
    'select count(*) as n, sum(rank) as ranks from marketing.report',
  );
  expect(rows).toEqual([{ n: '100', ranks: '5050' }]);
  const csv = await readFile(path.join(folder, 'reports/linear-1997-W11.csv'), 'utf8');
  expect(csv.split('\n')).toHaveLength(102);
});

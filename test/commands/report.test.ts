import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { statements } from '../support/project.ts';
import { publishedRows, publishedTables, warehouseOf } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

const CSV = 'reports/linear-1997-W11.csv';

it('writes the same bytes again from what is published, without source or model', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--week']);
  const [rows, csv] = [await publishedRows(folder), await readFile(path.join(folder, CSV), 'utf8')];
  await rm(path.join(folder, 'reports'), { recursive: true });
  await rm(path.join(folder, 'model'), { recursive: true });
  await statements(warehouseOf(folder), ['drop table users']);
  expect(transcript(await scoreBatch(folder, ['report', '--week']), folder)).toMatchInlineSnapshot(`
    "exit 0
    stderr:
    wrote <project>/reports/linear-1997-W11.csv: 100 users of run <id>"
  `);
  expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(csv);
  expect(await publishedRows(folder)).toEqual(rows);
  await writeFile(path.join(folder, CSV), 'spoilt');
  const { code, stdout } = await scoreBatch(folder, ['report', '--week', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ job: 'linear', window: '1997-W11', files: [path.join(folder, CSV)], rows: 100 });
  expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(csv);
});

it('has nothing to write before a window is published', async () => {
  const folder = await linearProject();
  expect(transcript(await scoreBatch(folder, ['report', '--week']), folder)).toMatchInlineSnapshot(`
    "exit 65
    stderr:
    error: nothing is published for 1997-W11
    hint: run the job for this window first"
  `);
  await scoreBatch(folder, ['--week']);
  expect((await scoreBatch(folder, ['report', '--week', '1997-W10'])).code).toBe(65);
});

it('needs a path in the job file', async () => {
  const folder = await linearProject({ edit: (job) => job.replace(/ {2}csv: .*\n/, '') });
  expect(transcript(await scoreBatch(folder, ['report', '--week']), folder)).toMatchInlineSnapshot(`
    "exit 78
    stderr:
    error: linear has no report file
    hint: set report.csv, report.parquet, report.xlsx or report.page in the job file"
  `);
  expect(await publishedTables(folder)).toEqual([]);
});

import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { type Job, loadJob } from '../../src/job/load.ts';
import { presentError } from '../../src/terminal/error.ts';
import { linearProject } from '../support/linear-project.ts';

async function load(folder: string): Promise<Job | string> {
  return await loadJob(undefined, folder, {}).catch((error: unknown) => {
    const { text, exitCode } = presentError(error);
    return `${text.replaceAll(folder, 'PROJECT')}\nexit code ${exitCode}`;
  });
}

it('reads the query with the job, without its final semicolon', async () => {
  const folder = await linearProject({ query: 'select 1;\n-- the end\n' });
  expect(await load(folder)).toMatchObject({ root: folder, query: 'select 1', queryName: 'jobs/query.sql' });
});

it('reads a query from the job itself', async () => {
  const folder = await linearProject({ edit: (job) => job.replace('query_file: jobs/query.sql', 'query: select 2') });
  expect(await load(folder)).toMatchObject({ query: 'select 2', queryName: 'source.query' });
});

it('takes the twin of a query in the dialect of the source', async () => {
  const twin = "select \"a;b\", `c;d`, 'it\\'s;' # one; statement\n";
  const files = { 'jobs/query.bigquery.sql': `${twin};` };
  expect(await load(await linearProject({ files }))).toMatchObject({ queryName: 'jobs/query.sql', kind: 'duckdb' });
  const edit = (job: string) => job.replace('duckdb:data/warehouse.duckdb', 'bigquery://project/dataset');
  expect(await load(await linearProject({ files, edit }))).toMatchObject({
    queryName: 'jobs/query.bigquery.sql',
    kind: 'bigquery',
    query: twin,
  });
});

it('refuses a missing or empty query, or several, and names the file', async () => {
  const folder = await linearProject();
  const file = path.join(folder, 'jobs/query.sql');
  const shown: unknown[] = [];
  for (const text of ['drop table users; select 1', ' \n']) {
    await writeFile(file, text);
    shown.push(await load(folder));
  }
  await rm(file);
  shown.push(await load(folder));
  expect(shown.join('\n\n')).toMatchInlineSnapshot(`
    "error: jobs/query.sql contains more than one statement
    hint: write one SELECT; prepare tables before the run, or use a WITH clause
    exit code 78

    error: jobs/query.sql is empty
    hint: write one SELECT; prepare tables before the run, or use a WITH clause
    exit code 78

    error: the query file PROJECT/jobs/query.sql does not exist
    hint: paths are relative to the project root, the folder that contains jobs/
    exit code 78"
  `);
});

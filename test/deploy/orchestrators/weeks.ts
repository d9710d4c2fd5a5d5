import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { keptFolder } from '../../support/kept.ts';
import { repository, statements } from '../../support/project.ts';

// A project whose weeks are all that an orchestrator can come upon, and the engines' files as they are, but for those weeks and for
// pauses that a test can wait for.

/** Monday and label of each week. */
export const WEEKS = {
  /** Three that are published. */
  good: ['1997-02-17', '1997-02-24', '1997-03-03'],
  goodLabels: ['1997-W08', '1997-W09', '1997-W10'],
  /** Its source is not ready (69) until `arrive`. */
  late: { monday: '1997-03-10', label: '1997-W11' },
  empty: { monday: '1997-03-17', label: '1997-W12' },
  /** One row, where the gate wants five (65). */
  refused: { monday: '1997-03-24', label: '1997-W13' },
  /** Its query takes longer than any test. */
  endless: { monday: '1997-03-31', label: '1997-W14' },
} as const;

const JOB = `name: linear
model: model
time_zone: America/New_York
every: week
source:
  warehouse: duckdb:data/warehouse.duckdb
  freeze: always
  query_file: jobs/query.sql
  ready: select :window_start_date <> date '${WEEKS.late.monday}' or count(*) > 0 from glob('FOLDER/arrived')
  key: [user_id]
score: { column: propensity, providers: [cpu] }
sink: { table: marketing.scores }
gates: { min_rows: 5 }
`;

const QUERY = `select user_id, a, b from users where signup >= :window_start_date and signup < :window_end_date
and (select count(*) from (select i from big where :window_start_date = date '${WEEKS.endless.monday}') x, big y
  where hash(x.i + y.i) % 7 = 8) = 0
`;

const USERS = `select i as user_id, date '1997-02-17' + cast(i % 28 as integer) as signup, (i % 20) / 10.0 as a, (i % 13) / 10.0 as b
  from range(280) as users(i)
  union all select 1000, date '${WEEKS.refused.monday}', 0.5, 0.5
  union all select 2000 + i, date '${WEEKS.endless.monday}', 0.5, 0.5 from range(10) as users(i)`;

/** An absolute path of a project of its own; it goes when the tests of the file have ended. */
export async function weeksProject(): Promise<string> {
  const folder = await keptFolder();
  await cp(repository('test', 'fixtures', 'models', 'linear'), path.join(folder, 'model'), { recursive: true });
  for (const name of ['data', 'jobs']) await mkdir(path.join(folder, name));
  await writeFile(path.join(folder, 'jobs', 'job.yaml'), JOB.replace('FOLDER', folder));
  await writeFile(path.join(folder, 'jobs', 'query.sql'), QUERY);
  await statements(path.join(folder, 'data', 'warehouse.duckdb'), [
    `create table users as ${USERS}`,
    'create table big as select i from range(200000) as big(i)',
  ]);
  return folder;
}

/** The last day of the late week has come. */
export const arrive = (folder: string): Promise<void> => writeFile(path.join(folder, 'arrived'), '');

/** What the engines' files read from the environment. */
export function settings(folder: string, command = `'${process.execPath}' '${repository('dist', 'cli.js')}'`) {
  return { PATH: process.env.PATH, SCORE_BATCH_PROJECT: folder, SCORE_BATCH_COMMAND: command };
}

/** Copies an engine's file of deploy, with other constants. @returns its path */
export async function withConstants(file: string, to: string, constants: Readonly<Record<string, string>>): Promise<string> {
  let text = await readFile(repository('deploy', file), 'utf8');
  for (const [name, value] of Object.entries({ PAUSE: '1', ...constants })) {
    const line = new RegExp(`^${name} = .*$`, 'm');
    if (!line.test(text)) throw new Error(`${file} has no constant ${name}`);
    text = text.replace(line, `${name} = ${value}`);
  }
  const copy = path.join(to, path.basename(file));
  await writeFile(copy, text);
  return copy;
}

/** A command that begins once so many of it have been started. */
export async function together(folder: string, count: number): Promise<string> {
  const command = path.join(folder, 'score-batch');
  await mkdir(path.join(folder, 'waiting'));
  await writeFile(
    command,
    `#!/bin/sh
touch "waiting/$$"
while [ "$(ls waiting | wc -l)" -lt ${count} ]; do sleep 0.02; done
exec '${process.execPath}' '${repository('dist', 'cli.js')}' "$@"
`,
  );
  await chmod(command, 0o755);
  return './score-batch';
}

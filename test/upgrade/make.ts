import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram, jsonNameOf } from '../../src/commands/program.ts';
import { VERSION } from '../../src/versions.ts';
import { repository, statements } from '../support/project.ts';
import { scoreBatchProcess } from '../support/score-batch.ts';
import { INCREMENTAL, sliceProject } from '../support/slice-project.ts';

// Not a test of its own: `npm run release:keep` keeps what this version writes, for the next version's tests (upgrade.test.ts).

/** Users of three weeks, one of whom cannot be scored; later features come by later events. */
const USERS = `
  select i as user_id, timestamp '1997-03-10 05:00:00' + to_minutes(i * 100) as happened_at,
    case when i = 7 then 1000.0 else (i % 20) / 10.0 end as a, (i % 13) / 10.0 as b, ['US', 'DE', 'FR'][1 + i % 3] as country,
    timestamp '1997-03-10 05:00:00' + to_minutes(i * 100) as loaded_at
  from range(300) as users(i)`;

const QUERY = `
  select user_id, arg_max(a, loaded_at) as a, arg_max(b, loaded_at) as b, arg_max(country, loaded_at) as country
  from users
  group by user_id
  having min(happened_at) >= :window_start and min(happened_at) < :window_end`;

const LATER = '1997-04-01T08:00:00-05:00';

it('keeps a project as this version leaves it', { timeout: 300_000 }, async () => {
  const folder = await sliceProject({
    users: USERS,
    edit: (job) =>
      job
        .replace('max_quarantine_rate: 1%', 'max_quarantine_rate: 5%')
        .replace('sink:\n', 'sink:\n  history: 2\n')
        .replace('reports/linear-{window}.csv', 'reports/linear-{window}.csv\n  page: reports/linear-{window}.html'),
  });
  const write = (name: string, text: string) => writeFile(path.join(folder, name), text);
  const file = path.join(folder, 'data', 'warehouse.duckdb');
  await write('jobs/batch.sql', QUERY);
  const job = (await readFile(path.join(folder, 'jobs/job.yaml'), 'utf8')).replace(INCREMENTAL, '');
  for (const layout of ['narrow', 'slim']) {
    const plain = job
      .replace('name: linear', `name: ${layout}`)
      .replace('query.sql', 'batch.sql')
      .replace(/report:\n(?: .*\n)+/, '')
      .replace('bands: { high: top 10%, medium: top 30% }', '')
      .replace(/ {2}keep: .*\n/, '')
      .replace('marketing.scores', `marketing.${layout}`)
      .replace('sink:\n', `sink:\n  layout: ${layout}\n`);
    await write(`jobs/${layout}.yaml`, plain);
  }
  await write(
    'jobs/strict.yaml',
    job
      .replace('name: linear', 'name: strict')
      .replace('query.sql', 'batch.sql')
      .replaceAll('marketing.', 'strict.')
      .replaceAll('reports/linear', 'reports/strict/strict')
      .replace('min_rows: 1', 'min_rows: 1000'),
  );
  await mkdir(path.join(folder, 'json'));
  const run = async (args: string, code = 0, keep?: string) => {
    const named = args.includes('--job') ? args : `${args} --job job`;
    const call = [...named.split(' '), ...(keep === undefined ? [] : ['--json'])];
    const ended = await scoreBatchProcess(folder, call, { SCORE_BATCH_NOW: LATER });
    expect(ended.code, `${args}: ${ended.stderr}`).toBe(code);
    if (keep !== undefined) await write(`json/${keep}.json`, ended.stdout);
  };
  await run('plan --week 1997-W11', 0, 'plan');
  await run('--week 1997-W11', 0, 'run');
  await run('--week 1997-W12');
  await statements(file, ['update users set a = a / 2 where user_id % 3 = 0']);
  await run('--week 1997-W12');
  await run('rollback --week 1997-W12 --reason wrong', 0, 'rollback');
  await run('erase --key 19 --reason asked', 0, 'erase');
  await run('report --week 1997-W12', 0, 'report');
  await run('--week 1997-W11 --job narrow');
  await run('--week 1997-W11 --job slim');
  await run('--week 1997-W11 --job strict', 65, 'error');
  await run('--slice --snapshot');
  await statements(file, [
    `insert into users values (5, timestamp '1997-03-31 12:00:00', 0.25, 0.5, 'US', timestamp '1997-03-31 12:00:00')`,
  ]);
  await run('--slice');
  await run('freeze --week 1997-W13', 0, 'freeze');
  await run('status', 0, 'status');
  await run('check', 0, 'check');
  await write('cli.json', JSON.stringify(commandLine(), undefined, 1));
  await copyFile(repository('jobs', 'job.schema.json'), path.join(folder, 'job.schema.json'));
  const kept = repository('test', 'fixtures', 'versions');
  await mkdir(kept, { recursive: true });
  await promisify(execFile)('tar', ['--owner=0', '--group=0', '-czf', path.join(kept, `${VERSION}.tar.gz`), '-C', folder, '.']);
});

/** The flags of each command, by name. */
function commandLine(): Record<string, string[]> {
  const none = () => undefined;
  const flags = (command: Command): [string, string[]][] => [
    [jsonNameOf(command), command.options.flatMap(({ long, short }) => long ?? short ?? [])],
    ...command.commands.flatMap(flags),
  ];
  return Object.fromEntries(flags(buildProgram(none as never, none, none)));
}

// Cost of `compare`: two windows of n users, in one DuckDB file (aggregating SQL) or in two (streams ordered by the key's
// hash). SQL makes the scores, not a model; B differs from A by a few hundredths, and nine in ten users are in both.
//
//   npm run bench:compare -- --rows 10000000 --max-memory 2GiB --streams
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { ROOT } from '../scripts/root.ts';
import { measure } from './harness/measure.ts';

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    'max-memory': { type: 'string', default: '2GiB' },
    streams: { type: 'boolean', default: false },
  },
});
const rows = Number(flags.rows);
const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-bench-compare-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const JOB = `name: users
model: model
time_zone: UTC
source: { warehouse: 'duckdb:a.duckdb', query: 'select user_id from users where day >= :window_start_date', key: [user_id] }
sink: { table: marketing.scores, layout: narrow }
`;

mkdirSync(path.join(folder, 'jobs'));
writeFileSync(path.join(folder, 'jobs/users.yaml'), JOB);
writeFileSync(path.join(folder, 'jobs/other.yaml'), JOB.replace('duckdb:a.duckdb', 'duckdb:b.duckdb'));
const SIDES = [
  { week: 'W46', start: '2026-11-09', end: '2026-11-16', from: 0, score: 'hash(i) % 1000001' },
  {
    week: 'W47',
    start: '2026-11-16',
    end: '2026-11-23',
    from: Math.floor(rows / 10),
    score: '(hash(i) % 1000001 * 19 + hash(i + 7) % 1000001) // 20',
  },
] as const;
await fill('a.duckdb', flags.streams ? SIDES.slice(0, 1) : SIDES);
if (flags.streams) await fill('b.duckdb', SIDES.slice(1));

const result = await measure({
  command: process.execPath,
  args: [
    path.join(ROOT, 'dist/cli.js'),
    ...['compare', '2026-W46', '2026-W47', '--job', 'users', '--json', '--max-memory', flags['max-memory']],
    ...(flags.streams ? ['--with-job', 'other'] : []),
  ],
  cwd: folder,
  environment: { SCORE_BATCH_NOW: '2026-11-27T08:00:00Z' },
});
if (result.problem !== undefined) throw new Error(result.problem);
const { coverage, ranks } = JSON.parse(result.stdout) as { coverage: object; ranks: object };
process.stdout.write(
  `${JSON.stringify({ rows, streams: flags.streams, 'max-memory': flags['max-memory'], wall: result.wall, cpu: result.cpu, peak: `${Math.round(result.peak / 2 ** 20)} MiB`, memory: result.memory, coverage, ranks })}\n`,
);

async function fill(file: string, sides: readonly (typeof SIDES)[number][]): Promise<void> {
  const instance = await DuckDBInstance.create(path.join(folder, file));
  const connection = await instance.connect();
  const columns = [
    ...[
      { name: 'user_id', type: 'integer' },
      { name: 'score', type: 'decimal', digits: [7, 6] },
    ],
    ...['job', 'run_id'].map((name) => ({ name, type: 'string' })),
    ...['window_start', 'window_end', 'scored_at'].map((name) => ({ name, type: 'timestamp' })),
  ];
  const statements = [
    "SET TimeZone = 'UTC'",
    'create schema marketing',
    `create table marketing.scores (user_id bigint, score decimal(7, 6), job varchar, window_start timestamptz, window_end timestamptz,
       run_id varchar, scored_at timestamptz)`,
    `create table marketing.score_batch_ledger (entry_number bigint, recorded_at timestamptz, run_id varchar, job varchar, window_label varchar,
       window_start timestamptz, window_end timestamptz, window_kind varchar, state varchar, publication bigint, fingerprint varchar,
       model_name varchar, model_version varchar, model_digest varchar, rows_frozen bigint, rows_scored bigint, rows_quarantined bigint,
       host varchar, details varchar)`,
    ...sides.flatMap(({ week, start, end, from, score }, i) => [
      `insert into marketing.scores select i, (${score}) / 1000000::decimal(13, 6), 'users', '${start}', '${end}', 'run-${week}', '${end}'
       from range(${from}, ${from + rows}) users(i) order by hash(i + ${i})`,
      `insert into marketing.score_batch_ledger values (${i + 1}, '${end}', 'run-${week}', 'users', '2026-${week}', '${start}', '${end}', 'week',
       'published', 1, 'f', 'm', '${i}', 'd${i}', ${rows}, ${rows}, 0, 'h', '${JSON.stringify({ table: ['marketing', 'scores'], columns })}')`,
    ]),
  ];
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}

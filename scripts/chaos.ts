// Kills runs, and the steps of a run, at random moments and in random effects, often several in a row, and compares the final
// state with that of an uninterrupted run. The matrix of test/crash tries every effect once; this tries many at once, and
// moments between them.
//
//   npm run chaos -- --kills 1000
//   npm run chaos -- --kills 150 --kinds bigquery --seed 7
//
// Findings are reported with their seed, to reproduce them: moments depend on the machine, effects do not.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ROOT } from './root.ts';

const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kinds: { type: 'string', default: 'duckdb,tapped,bigquery,snowflake' },
  },
});

const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'chaos'], {
  cwd: ROOT,
  env: {
    ...process.env,
    CHAOS: JSON.stringify({ kills: Number(flags.kills), seed: Number(flags.seed), kinds: flags.kinds.split(',') }),
  },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

// Breaks requests to the emulators of BigQuery and Snowflake at random, restarts the command until it succeeds, as a scheduler
// does, and compares what it publishes with an uninterrupted run. The matrix of test/faults tries every fault in every kind of
// request once; this tries many at once, repeatedly.
//
//   npm run chaos:faults -- --faults 10000
//   npm run chaos:faults -- --faults 500 --kinds snowflake --seed 7
//
// Findings are reported with their seed, which breaks the same requests again if processes send them in the same order.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ROOT } from './root.ts';

const { values: flags } = parseArgs({
  options: {
    faults: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kinds: { type: 'string', default: 'bigquery,snowflake' },
  },
});

const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'chaos-faults'], {
  cwd: ROOT,
  env: {
    ...process.env,
    CHAOS: JSON.stringify({ faults: Number(flags.faults), seed: Number(flags.seed), kinds: flags.kinds.split(',') }),
  },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

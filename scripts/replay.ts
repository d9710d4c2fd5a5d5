// Replays the orders of data/cdnow as a warehouse receives them, hour by hour: late, out of order, twice, corrected, deleted.
// Slices follow, some of which are killed. Every row of the current table is compared with the orders and, at the end of each
// week, with the batch.
//
//   npm run replay -- --seed 1                      twelve weeks on DuckDB
//   npm run replay -- --seed 1 --features aging     with features that depend on :window_end
//   npm run replay -- --warehouse bigquery          on the emulator, whose environment the tests make; a week, every 6 hours
import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { VARIANTS } from './replay/features.ts';
import { showFigures } from './replay/figures.ts';
import { openShop } from './replay/open-shop.ts';
import { replay } from './replay/run-replay.ts';
import { Violation } from './replay/violation.ts';

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    weeks: { type: 'string' },
    every: { type: 'string' },
    warehouse: { type: 'string', default: 'duckdb' },
    kills: { type: 'string', default: '0.02' },
    oracle: { type: 'string', default: '0.03' },
    features: { type: 'string', default: 'steady' },
    keep: { type: 'string' },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);
const variant = VARIANTS.find((name) => name === flags.features);
if (variant === undefined) throw new Error(`--features is ${VARIANTS.join(' or ')}`);
const isLocal = flags.warehouse === 'duckdb';
const folder = flags.keep === undefined ? await mkdtemp(path.join(tmpdir(), 'score-batch-replay-')) : path.resolve(flags.keep);
mkdirSync(folder, { recursive: true });
const shop = await openShop(flags.warehouse, folder);
const began = performance.now();
let isHeld = false;
try {
  const figures = await replay({
    seed: Number(flags.seed),
    weeks: Number(flags.weeks ?? (isLocal ? 12 : 1)),
    every: Number(flags.every ?? (isLocal ? 1 : 6)),
    kills: Number(flags.kills),
    oracle: Number(flags.oracle),
    ...{ variant, folder, shop, say },
  });
  for (const line of showFigures(figures)) say(line);
  isHeld = true;
} catch (error) {
  say(
    error instanceof Violation ? `\nviolated: ${error.message}` : `\n${error instanceof Error ? error.stack : String(error)}`,
  );
  process.exitCode = 1;
} finally {
  await shop.stop();
  say(
    `took ${((performance.now() - began) / 1000).toFixed(0)} s on ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`,
  );
  if (isHeld && flags.keep === undefined) rmSync(folder, { recursive: true, force: true });
  else say(`the project is in ${folder}`);
}

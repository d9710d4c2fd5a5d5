// Cost of a start: `--help`, `status`, `plan`, and the time to the first batch of a small run, on the demo's job. Medians with
// minimum and maximum; on a shared machine, trust processor time more than wall time. With --base, in turn with another built
// checkout.
//
//   npm run bench:start -- --rounds 9 --base ../base
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { ROOT } from '../scripts/root.ts';
import { type Measures, measure } from './harness/measure.ts';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, base: { type: 'string' } } });
const checkouts = { 'this checkout': ROOT, ...(flags.base !== undefined && { base: path.resolve(flags.base) }) };
const COMMANDS = { '--help': ['--help'], status: ['status'], plan: ['plan', '--week'], 'run, 2,053 rows': ['--week', '-q'] };
/** Runs in the ledger before anything is measured; `status` reads them all. */
const LEDGER = 5;

const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-bench-start-'));
const warehouse = path.join(folder, 'warehouse.duckdb');
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const part of ['jobs', 'models']) cpSync(path.join(ROOT, part), path.join(folder, part), { recursive: true });
await makeOrders();
for (let run = 0; run < LEDGER; run += 1) await start(ROOT, COMMANDS['run, 2,053 rows']);

process.stdout.write('| command | | CPU s | wall s | first batch s |\n| :-- | :-- | --: | --: | --: |\n');
for (const [name, args] of Object.entries(COMMANDS)) {
  const results = new Map<string, Measures[]>(Object.keys(checkouts).map((checkout) => [checkout, []]));
  // The first round warms up the disk cache and is not counted; the order alternates.
  for (let round = 0; round <= Number(flags.rounds); round += 1) {
    const turns = Object.entries(checkouts);
    for (const [checkout, root] of round % 2 === 0 ? turns : turns.reverse()) {
      const result = await start(root, args);
      if (round > 0) results.get(checkout)?.push(result);
    }
  }
  for (const [checkout, measured] of results) {
    const cells = (['cpu', 'wall', 'firstBatch'] as const).map((what) => spread(measured.map((one) => one[what])));
    process.stdout.write(`| ${name} | ${checkout} | ${cells.join(' | ')} |\n`);
  }
}

async function makeOrders(): Promise<void> {
  const instance = await DuckDBInstance.create(warehouse);
  const connection = await instance.connect();
  const orders = path.join(ROOT, 'data/cdnow/transactions.csv').replaceAll("'", "''");
  await connection.run(
    `create table orders as select * from read_csv('${orders}', columns = {customer_id: 'bigint', date: 'date', cds: 'integer', amount: 'decimal(10,2)'})`,
  );
  connection.closeSync();
  instance.closeSync();
}

async function start(root: string, args: readonly string[]): Promise<Measures> {
  const result = await measure({
    command: process.execPath,
    // Only a run has a first batch to see; for the others this would only be more to load.
    args: [
      ...(args[0] === '--week' ? ['--import', path.join(ROOT, 'bench/harness/preload.mjs')] : []),
      path.join(root, 'dist/cli.js'),
      ...args,
    ],
    cwd: folder,
    environment: { SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00', WAREHOUSE_URL: `duckdb:${warehouse}` },
  });
  if (result.problem !== undefined) throw new Error(`${args.join(' ')} in ${root}: ${result.problem}`);
  return result;
}

function spread(numbers: readonly (number | undefined)[]): string {
  const sorted = numbers.filter((number) => number !== undefined).sort((a, b) => a - b);
  const [least, middle, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  if (least === undefined || middle === undefined || most === undefined) return '';
  return `${middle.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

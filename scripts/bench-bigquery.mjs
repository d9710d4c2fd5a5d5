// Rows per second that a whole run reads from BigQuery and stages back, beside a plain Python reader of the same rows from the
// same emulator, A B A B … in one call. The tests make the emulator's Python environment; run them once before.
//
//   npm run bench:bigquery -- --rows 1000000 --runs 3
//
// The emulator shares the machine's cores with what is measured: figures compare the two readers and say nothing of Google's.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dataFolder, output, python, startWithUsers } from './bench-emulator.mjs';

const { values: flags } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const rows = Number(flags.rows);
const say = (text) => process.stdout.write(`${text}\n`);

const emulator = await startWithUsers(rows);
try {
  const ours = [];
  const theirs = [];
  for (let run = 0; run < Number(flags.runs); run += 1) {
    ours.push(await scoreBatch());
    theirs.push(await reader());
  }
  const rate = (seconds) => Math.round(rows / seconds);
  const show = (name, rates) => say(`${name}: ${median(rates)} rows/s (${rates.join(' ')})`);
  show(
    'score-batch, read by the chunk workers',
    ours.map(({ read }) => rate(read)),
  );
  show(
    'python reader',
    theirs.map(({ seconds }) => rate(seconds)),
  );
  show(
    'score-batch, written and staged',
    ours.map(({ stage }) => rate(stage)),
  );
  say(
    `seconds per stage (medians): ${Object.keys(ours[0])
      .map((stage) => `${stage} ${median(ours.map((run) => run[stage])).toFixed(2)}`)
      .join(' · ')}`,
  );
} finally {
  emulator.stop();
}

/** @returns seconds per stage of a whole run */
async function scoreBatch() {
  // The emulator, and with it the ledger, is new each time; the report file is not.
  const args = [`${root}dist/cli.js`, '--job', 'bench', '--week', '2026-W32', '--force', '--json', '-q'];
  const stdout = await output(process.execPath, args, {
    WAREHOUSE_URL: 'bigquery://bench/shop',
    REPORTS: path.join(dataFolder(rows), 'reports'),
    BIGQUERY_EMULATOR_HOST: emulator.rest,
    BIGQUERY_STORAGE_EMULATOR_HOST: emulator.grpc,
    METADATA_SERVER_DETECTION: 'none',
  });
  return JSON.parse(stdout.trim().split('\n').at(-1)).seconds;
}

async function reader() {
  return JSON.parse(await output(python, [path.join(root, 'bench/bigquery_reader.py'), emulator.grpc, 'bench', 'shop'], {}));
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

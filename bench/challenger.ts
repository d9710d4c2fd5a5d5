// Cost of a challenger: one run with a challenger, in turn with the same run plus a second one by another job. Both ways score
// the same users with two models; the second run reads the source again. On a shared machine, trust processor time more than
// wall time.
//
//   npm run build && node .modules/bench/challenger.js --rows 1000000 --rounds 5
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import { measure } from './harness/measure.ts';
import { generateUsers } from './users.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '5' } },
});
const rows = Number(values.rows);

interface Seconds {
  readonly cpu: number;
  readonly wall: number;
}

const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-bench-challenger-'));
const warehouse = path.join(folder, 'data', 'warehouse.duckdb');
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
makeJobs();
await generateUsers(warehouse, rows);

const WAYS: Readonly<Record<string, readonly string[]>> = {
  'one run, one model': ['alone'],
  'a challenger': ['both'],
  'a second run': ['alone', 'other'],
};
const results = new Map<string, Seconds[]>(Object.keys(WAYS).map((way) => [way, []]));
// The first round warms up and is not counted; the order alternates.
for (let round = 0; round <= Number(values.rounds); round += 1) {
  const turns = Object.entries(WAYS);
  for (const [way, jobs] of round % 2 === 0 ? turns : turns.reverse()) {
    let sum: Seconds = { cpu: 0, wall: 0 };
    for (const job of jobs) {
      const { cpu, wall } = await run(job);
      sum = { cpu: sum.cpu + cpu, wall: sum.wall + wall };
    }
    if (round > 0) results.get(way)?.push(sum);
  }
}
process.stdout.write('| | CPU s | wall s | CPU µs per row |\n| :-- | --: | --: | --: |\n');
for (const [way, seconds] of results) {
  const cpu = seconds.map((one) => one.cpu);
  const cells = [spread(cpu), spread(seconds.map((one) => one.wall)), ((median(cpu) / rows) * 1e6).toFixed(2)];
  process.stdout.write(`| ${way} | ${cells.join(' | ')} |\n`);
}

/**
 * Three jobs over the same users: one model, the second model alone, and both. Their rows are frozen, since a challenger's rows
 * are.
 */
function makeJobs(): void {
  for (const [name, version] of [
    ['mlp', 'v1'],
    ['mlp-2', 'v2'],
  ] as const) {
    const bundle = path.join(folder, name);
    cpSync(path.join(ROOT, 'bench', 'mlp'), bundle, { recursive: true });
    const yaml = path.join(bundle, 'model.yaml');
    writeFileSync(yaml, readFileSync(yaml, 'utf8').replace('version: v1', `version: ${version}`));
  }
  mkdirSync(path.join(folder, 'jobs'));
  cpSync(path.join(ROOT, 'bench/jobs/users.sql'), path.join(folder, 'jobs/users.sql'));
  const core = readFileSync(path.join(ROOT, 'bench/jobs/core.yaml'), 'utf8').replace(
    'source:\n',
    'source:\n  freeze: always\n',
  );
  const jobs = {
    alone: core.replace('name: core', 'name: alone'),
    other: core
      .replace('name: core', 'name: other')
      .replace(/^model: .*/m, 'model: mlp-2')
      .replaceAll('marketing.churn_', 'marketing.other_'),
    both: `${core.replace('name: core', 'name: both').replaceAll('marketing.churn_', 'marketing.both_')}challenger: { model: mlp-2 }\n`,
  };
  for (const [name, text] of Object.entries(jobs)) writeFileSync(path.join(folder, 'jobs', `${name}.yaml`), text);
}

async function run(job: string): Promise<Seconds> {
  const result = await measure({
    command: process.execPath,
    args: [path.join(ROOT, 'dist/cli.js'), '--job', job, '--week', '2026-W32', '--json', '-q'],
    cwd: folder,
    environment: { SCORE_BATCH_NOW: '2026-08-10T08:00:00Z', WAREHOUSE_URL: `duckdb:${warehouse}` },
  });
  if (result.problem !== undefined) throw new Error(`${job}: ${result.problem}`);
  const { rows: counts, challenger } = JSON.parse(result.stdout);
  if (counts.scored !== rows || (job === 'both' && challenger?.state !== 'published'))
    throw new Error(`${job}: ${result.stdout.slice(0, 500)}`);
  return result;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function spread(numbers: readonly number[]): string {
  return `${median(numbers).toFixed(2)} (${Math.min(...numbers).toFixed(2)}–${Math.max(...numbers).toFixed(2)})`;
}

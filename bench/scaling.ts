// How the job `core` scales with its workers: on this machine's cores, and with workers limited to a rate, which shows how many
// of them one reader can feed. Without a filter, and with one that keeps 5 % of the table.
//
//   npm run bench:scaling -- --rows 1000000 --models mlp,lgbm --workers 1,2,4 --slow-workers 4,16 --slow-rate 9000 --rounds 3
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import { type JobOutcome, jobCase } from './harness/cases.ts';
import type { Measures } from './harness/measure.ts';
import { runCase, showSpread } from './harness/one-run.ts';
import { clearPublished } from './harness/outcome.ts';
import { folderOf, type ScenarioName } from './harness/scenarios.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    models: { type: 'string', default: 'mlp,lgbm' },
    workers: { type: 'string', default: '1,2,4' },
    'slow-workers': { type: 'string', default: '4,16' },
    'slow-rate': { type: 'string', default: '9000' },
    scenarios: { type: 'string', default: 'plain,filter' },
    rounds: { type: 'string', default: '3' },
    data: { type: 'string', default: path.join(ROOT, '.bench') },
  },
});
const say = (text: string) => process.stderr.write(`${text}\n`);
const list = (text: string) => (text === 'none' ? [] : text.split(','));
const rows = Number(values.rows);
const slowRate = Number(values['slow-rate']);

const print = (cells: readonly (string | number)[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
print([
  'table',
  'model',
  'workers',
  'wall s',
  'CPU s',
  'rows/s, whole run',
  'rows/s, scoring',
  'scoring, of what the workers can',
]);
print([':--', ':--', ':--', '--:', '--:', '--:', '--:', '--:']);
for (const scenario of list(values.scenarios) as ScenarioName[]) {
  const data = await folderOf(path.resolve(values.data), scenario, rows, say);
  const real: Variant[][] = list(values.models).map((model) =>
    list(values.workers).map((workers) => ({ model, workers: Number(workers) })),
  );
  // The choice of model does not matter here: it takes a hundredth of the wait.
  const slow: Variant[] = list(values['slow-workers']).map((workers) => ({
    model: 'mlp',
    workers: Number(workers),
    rate: slowRate,
  }));
  for (const variants of [...real, slow]) await compare(scenario, data, variants);
  await clearPublished(path.join(data, 'users.duckdb'));
}

interface Variant {
  readonly model: string;
  readonly workers: number;
  /** Rows per second that each worker is limited to. */
  readonly rate?: number;
}

type Run = Measures & JobOutcome;

/** Variants take turns. */
async function compare(scenario: ScenarioName, data: string, variants: readonly Variant[]): Promise<void> {
  const taken = variants.map((variant) => ({ variant, runs: [] as Run[] }));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const { variant, runs } of taken) {
      const { model, workers, rate } = variant;
      const one = jobCase({ root: ROOT, data, model, scenario, flags: { provider: 'cpu', workers } }, 'core');
      await one.prepare();
      const environment: Record<string, string> = rate === undefined ? {} : { SCORE_BATCH_TEST_ROWS_PER_SECOND: String(rate) };
      const run = await runCase(one, rows, { environment, wanted: runs[0] });
      runs.push(run);
      say(
        `${scenario} ${model}, ${workers} workers${rate ? ` of ${rate} rows/s` : ''}: ${run.wall.toFixed(2)} s, ${run.rates.score} rows/s`,
      );
    }
  }
  for (const { variant, runs } of taken) {
    const { model, workers, rate } = variant;
    const spread = (of: (run: Run, round: number) => number, digits: number) => showSpread(runs.map(of), digits);
    // For simulated workers, their rate; for real ones, a multiple of what the first variant reached.
    const able = (round: number) => workers * (rate ?? perWorker(taken[0], round));
    print([
      scenario,
      model,
      rate === undefined ? workers : `${workers} × ${rate} rows/s`,
      spread(({ wall }) => wall, 2),
      spread(({ cpu }) => cpu, 1),
      spread((run) => rows / run.wall, 0),
      spread(scoringRate, 0),
      spread((run, round) => scoringRate(run) / able(round), 2),
    ]);
  }
}

function scoringRate({ rates }: Run): number {
  return rates.score ?? Number.NaN;
}

/** Rows per second per worker in a round. */
function perWorker(taken: { readonly variant: Variant; readonly runs: readonly Run[] } | undefined, round: number): number {
  const run = taken?.runs[round];
  return run === undefined ? Number.NaN : scoringRate(run) / (taken?.variant.workers ?? Number.NaN);
}

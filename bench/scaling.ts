// How the job `core` scales with its workers: on this machine's cores, and with workers that are slowed down to a rate, which shows
// how many of them one reader can feed. Plain and with a filter that keeps 5 % of the table.
//
//   npm run bench:scaling -- --rows 1000000 --models mlp,lgbm --workers 1,2,4 --slow-workers 4,16 --slow-rate 9000 --rounds 3
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { casesOf } from '../bench/harness/cases.mjs';
import { runCase, showSpread } from '../bench/harness/one-run.mjs';
import { clearPublished } from '../bench/harness/outcome.mjs';
import { folderOf } from '../bench/harness/scenarios.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    models: { type: 'string', default: 'mlp,lgbm' },
    workers: { type: 'string', default: '1,2,4' },
    'slow-workers': { type: 'string', default: '4,16' },
    'slow-rate': { type: 'string', default: '9000' },
    scenarios: { type: 'string', default: 'plain,filter' },
    rounds: { type: 'string', default: '3' },
    data: { type: 'string', default: path.join(root, '.bench') },
  },
});
const say = (text) => process.stderr.write(`${text}\n`);
const list = (text) => (text === 'none' ? [] : text.split(','));
const rows = Number(values.rows);
const slowRate = Number(values['slow-rate']);

const print = (cells) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
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
for (const scenario of list(values.scenarios)) {
  const data = await folderOf(path.resolve(values.data), scenario, rows, say);
  const real = list(values.models).map((model) => list(values.workers).map((workers) => ({ model, workers: Number(workers) })));
  // Whose model it is does not matter there: it costs a hundredth of the wait.
  const slow = list(values['slow-workers']).map((workers) => ({ model: 'mlp', workers: Number(workers), rate: slowRate }));
  for (const variants of [...real, slow]) await compare(scenario, data, variants);
  await clearPublished(path.join(data, 'users.duckdb'));
}

/** Variants take turns. */
async function compare(scenario, data, variants) {
  const runs = variants.map(() => []);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const [i, { model, workers, rate }] of variants.entries()) {
      const flags = { cases: ['core'], peers: [], rawSeconds: 0, provider: 'cpu', workers };
      const [one] = casesOf({ root, data, model, scenario, flags });
      await one.prepare();
      const environment = rate === undefined ? {} : { SCORE_BATCH_TEST_ROWS_PER_SECOND: String(rate) };
      const run = await runCase(one, rows, { environment, wanted: runs[i][0] });
      runs[i].push(run);
      say(
        `${scenario} ${model}, ${workers} workers${rate ? ` of ${rate} rows/s` : ''}: ${run.wall.toFixed(2)} s, ${run.rates.score} rows/s`,
      );
    }
  }
  for (const [i, { model, workers, rate }] of variants.entries()) {
    const spread = (of, digits) => showSpread(runs[i].map(of), digits);
    // Of simulated workers it is their rate; of real ones, as many times what the first variant reached.
    const able = (round) => workers * (rate ?? runs[0][round].rates.score / variants[0].workers);
    print([
      scenario,
      model,
      rate === undefined ? workers : `${workers} × ${rate} rows/s`,
      spread(({ wall }) => wall, 2),
      spread(({ cpu }) => cpu, 1),
      spread((run) => rows / run.wall, 0),
      spread(({ rates }) => rates.score, 0),
      showSpread(
        runs[i].map(({ rates }, round) => rates.score / able(round)),
        2,
      ),
    ]);
  }
}

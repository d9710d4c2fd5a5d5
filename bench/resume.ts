// What a kill costs: runs of the benchmark's jobs are killed when the model has scored nine tenths of the rows, and resumed; whole
// runs take turns with them. A resumed run must publish what a whole one does, row for row.
//
//   npm run bench:resume -- --rows 1000000 --models mlp,lgbm,slow --cases core,full --rounds 3
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { casesOf } from '../bench/harness/cases.mjs';
import { measure } from '../bench/harness/measure.mjs';
import { runCase, showSpread } from '../bench/harness/one-run.mjs';
import { clearPublished } from '../bench/harness/outcome.mjs';
import { folderOf } from '../bench/harness/scenarios.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    models: { type: 'string', default: 'mlp,lgbm,slow' },
    cases: { type: 'string', default: 'core,full' },
    rounds: { type: 'string', default: '3' },
    share: { type: 'string', default: '0.9' },
    data: { type: 'string', default: path.join(root, '.bench') },
  },
});
const say = (text) => process.stderr.write(`${text}\n`);
const rows = Number(values.rows);
const killAt = Math.floor(rows * Number(values.share));
const data = await folderOf(path.resolve(values.data), 'plain', rows, say);

const print = (cells) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
print([
  'model',
  'job',
  'whole s',
  'killed s',
  'resumed s',
  'resumed ÷ whole',
  'the same in CPU s',
  'scored again, of all rows',
]);
print([':--', ':--', '--:', '--:', '--:', '--:', '--:', '--:']);
for (const model of values.models.split(',')) {
  for (const job of values.cases.split(',')) {
    const [one] = casesOf({ root, data, model, flags: { cases: [job], peers: [], rawSeconds: 0, provider: 'cpu' } });
    const rounds = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      rounds.push(await takeRound(one));
      const { whole, killed, resumed } = rounds.at(-1);
      say(
        `${model} ${job}, round ${round + 1}: whole ${whole.wall.toFixed(2)} s, killed after ${killed.wall.toFixed(2)} s, ` +
          `resumed ${resumed.wall.toFixed(2)} s, ${resumed.modelRows ?? 0} rows scored again`,
      );
    }
    const wall = (which) =>
      showSpread(
        rounds.map((round) => round[which].wall),
        2,
      );
    const ratio = (of) =>
      showSpread(
        rounds.map(({ whole, resumed }) => resumed[of] / whole[of]),
        3,
      );
    const again = showSpread(
      rounds.map(({ resumed }) => (resumed.modelRows ?? 0) / rows),
      2,
    );
    print([model, job, wall('whole'), wall('killed'), wall('resumed'), ratio('wall'), ratio('cpu'), again]);
  }
}
await clearPublished(path.join(data, 'users.duckdb'));

async function takeRound(one) {
  await one.prepare();
  const whole = await runCase(one, rows);
  await one.prepare();
  const killed = await measure({ ...one, environment: { ...one.environment, SCORE_BATCH_BENCH_KILL_AT: String(killAt) } });
  if (!killed.problem?.startsWith('ended with SIGKILL')) {
    throw new Error(`${one.name} was not killed after ${killAt} rows: ${killed.problem ?? 'it ended well'}`);
  }
  // What was published by then, nothing, is not cleared away: it is where the resumed run begins.
  const resumed = await runCase(one, rows, { wanted: whole });
  return { whole, killed, resumed };
}

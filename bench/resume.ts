// Cost of a kill: runs of the benchmark's jobs are killed once the model has scored nine tenths of the rows, then resumed, in
// turn with whole runs. A resumed run must publish the same rows as a whole one.
//
//   npm run bench:resume -- --rows 1000000 --models mlp,lgbm,slow --cases core,full --rounds 3
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import { type Job, type JobCase, type JobOutcome, jobCase } from './harness/cases.ts';
import { type Measures, measure } from './harness/measure.ts';
import { runCase, showSpread } from './harness/one-run.ts';
import { clearPublished } from './harness/outcome.ts';
import { folderOf } from './harness/scenarios.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    models: { type: 'string', default: 'mlp,lgbm,slow' },
    cases: { type: 'string', default: 'core,full' },
    rounds: { type: 'string', default: '3' },
    share: { type: 'string', default: '0.9' },
    data: { type: 'string', default: path.join(ROOT, '.bench') },
  },
});
const say = (text: string) => process.stderr.write(`${text}\n`);
const rows = Number(values.rows);
const killAt = Math.floor(rows * Number(values.share));
const data = await folderOf(path.resolve(values.data), 'plain', rows, say);

const print = (cells: readonly string[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
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
  for (const job of values.cases.split(',') as Job[]) {
    const one = jobCase({ root: ROOT, data, model, flags: { provider: 'cpu' } }, job);
    const rounds: Round[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const taken = await takeRound(one);
      rounds.push(taken);
      const { whole, killed, resumed } = taken;
      say(
        `${model} ${job}, round ${round + 1}: whole ${whole.wall.toFixed(2)} s, killed after ${killed.wall.toFixed(2)} s, ` +
          `resumed ${resumed.wall.toFixed(2)} s, ${resumed.modelRows ?? 0} rows scored again`,
      );
    }
    const wall = (which: keyof Round) =>
      showSpread(
        rounds.map((round) => round[which].wall),
        2,
      );
    const ratio = (of: 'wall' | 'cpu') =>
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

interface Round {
  readonly whole: Measures & JobOutcome;
  readonly killed: { readonly wall: number };
  readonly resumed: Measures & JobOutcome;
}

async function takeRound(one: JobCase): Promise<Round> {
  await one.prepare();
  const whole = await runCase(one, rows);
  await one.prepare();
  const { problem, wall } = await measure({
    ...one,
    environment: { ...one.environment, SCORE_BATCH_BENCH_KILL_AT: String(killAt) },
  });
  if (wall === undefined || !problem?.startsWith('ended with SIGKILL')) {
    throw new Error(`${one.name} was not killed after ${killAt} rows: ${problem ?? 'it ended well'}`);
  }
  // The killed run's leftovers are not cleared: the resumed run starts from them. It has published nothing yet.
  const resumed = await runCase(one, rows, { wanted: whole });
  return { whole, killed: { wall }, resumed };
}

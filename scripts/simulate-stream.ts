// Simulates the exactly-once flow of src/stream/partition on a log in memory: killed, stopped and disconnected processes, a
// rebalancing group, transactions whose answers are lost. Each seed is another run, whose output is checked against the rules.
//
//   npm run simulate:stream -- --seeds 10000
//   npm run simulate:stream -- --from 4711 --seeds 1     one seed again, with all its problems
//
// Exits with 1 if a rule is violated.
import { parseArgs } from 'node:util';
import { type SimulationResult, simulate } from '../test/stream/simulation/simulate.ts';

const { values: flags } = parseArgs({
  options: { seeds: { type: 'string', default: '1000' }, from: { type: 'string', default: '1' } },
});
const seeds = Number(flags.seeds);
const from = Number(flags.from);
if (!Number.isInteger(seeds) || !Number.isInteger(from)) throw new Error('--seeds and --from take whole numbers');
const began = performance.now();
const total = { transactions: 0, restarts: 0, started: 0, idleScores: 0, virtualMs: 0 };
const failed: number[] = [];
for (let seed = from; seed < from + seeds; seed += 1) {
  const result = await simulate(seed);
  add(result);
  if (result.problems.length > 0) {
    failed.push(seed);
    const shown = seeds === 1 ? result.problems : result.problems.slice(0, 3);
    process.stdout.write(`seed ${seed}: ${result.problems.length} problems\n${shown.map((text) => `  ${text}\n`).join('')}`);
  }
  if (seed % 1000 === 0) process.stderr.write(`${seed - from + 1} seeds, ${failed.length} failed, ${seconds()} s\n`);
}
process.stdout.write(
  `${seeds} seeds from ${from} in ${seconds()} s: ${total.transactions} transactions, ${total.started} processes, ` +
    `${total.restarts} restarts of a partition, ${total.idleScores} idle scores, ${Math.round(total.virtualMs / 3_600_000)} virtual hours; ` +
    `${failed.length} failed\n`,
);
for (const seed of failed.slice(0, 20)) process.stdout.write(`npm run simulate:stream -- --from ${seed} --seeds 1\n`);
process.exitCode = failed.length > 0 ? 1 : 0;

function add(result: SimulationResult): void {
  for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += result[name];
}

function seconds(): number {
  return Math.round((performance.now() - began) / 1000);
}

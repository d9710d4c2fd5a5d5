// Compares the processor time of this checkout with that of another built checkout: runs the benchmark's jobs in turn, on the
// same users, pair by pair, so that a drift in the machine's speed does not matter.
//
//   git worktree add ../base COMMIT && (cd ../base && npm ci && npm run build)
//   npm run bench:pair -- --base ../base --rounds 9
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import type { CaseFlags, Job, JobCase } from './harness/cases.ts';
import { measure } from './harness/measure.ts';
import { faultOf } from './harness/outcome.ts';
import { generateUsers } from './users.ts';

const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    models: { type: 'string', default: 'mlp,lgbm' },
    cases: { type: 'string', default: 'core,full' },
    data: { type: 'string' },
  },
});
const say = (text: string) => process.stderr.write(`${text}\n`);
const { base: other } = values;
if (other === undefined || !existsSync(path.join(other, 'dist/cli.js'))) {
  say(
    'error: --base names no checkout that is built\nhint: check out the other commit with `git worktree add` and build it there',
  );
  process.exit(64);
}

/** Location of a checkout's cases; older ones are plain JavaScript. */
const CASES = ['.modules/bench/harness/cases.js', 'bench/harness/cases.mjs'];
const NO_FLAGS = {
  peers: [],
  workers: undefined,
  parallelism: 1,
  batchRows: undefined,
  provider: 'cpu',
  peerProvider: 'CPUExecutionProvider',
  rawSeconds: 0,
};
const rows = Number(values.rows);
const data = path.resolve(values.data ?? path.join(ROOT, '.bench', String(rows)));
if (!existsSync(path.join(data, 'users.duckdb'))) await generateUsers(path.join(data, 'users.duckdb'), rows);

/** The case for a job and a model, from the code of its checkout. */
async function caseOf(root: string, model: string, name: Job): Promise<JobCase> {
  const file = CASES.map((one) => path.join(root, one)).find((one) => existsSync(one));
  if (file === undefined) throw new Error(`${root} has no cases of the benchmark`);
  const { casesOf } = (await import(pathToFileURL(file).href)) as typeof import('./harness/cases.ts');
  const flags: CaseFlags = { ...NO_FLAGS, cases: [name] };
  const one = casesOf({ root, data, model, flags }).find(({ kind }) => kind === 'score-batch');
  if (one?.kind !== 'score-batch') throw new Error(`${file} has no case ${name}`);
  return one;
}

interface Seconds {
  readonly cpu: number;
  readonly wall: number;
}

/** A run of this checkout and one of the other. */
interface Pair {
  readonly a: Seconds;
  readonly b: Seconds;
}

async function secondsOf(one: JobCase): Promise<Seconds> {
  await one.prepare();
  const measured = await measure(one);
  if (measured.problem !== undefined) throw new Error(`${one.name} in ${one.cwd}: ${measured.problem}`);
  const { stdout, cpu, wall } = measured;
  const fault = faultOf(await one.outcome({ stdout }), rows);
  if (fault !== undefined) throw new Error(`${one.name} in ${one.cwd}: ${fault}`);
  return { cpu, wall };
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
const spread = (numbers: readonly number[], digits: number) =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)}–${Math.max(...numbers).toFixed(digits)})`;

process.stdout.write(
  '| model | job | CPU s | CPU s of base | CPU, ratio | wall, ratio |\n| :-- | :-- | --: | --: | --: | --: |\n',
);
for (const model of values.models.split(',')) {
  for (const name of values.cases.split(',') as Job[]) {
    const mine = await caseOf(ROOT, model, name);
    const base = await caseOf(path.resolve(other), model, name);
    const pairs: Pair[] = [];
    // The first pair warms up the disk cache and is not counted.
    for (let round = 0; round <= Number(values.rounds); round += 1) {
      // The order alternates too.
      const early = round % 2 === 0 ? undefined : await secondsOf(base);
      const a = await secondsOf(mine);
      const b = early ?? (await secondsOf(base));
      say(`${model} ${name}, round ${round}: ${a.cpu.toFixed(2)} s of CPU, base ${b.cpu.toFixed(2)} s`);
      if (round > 0) pairs.push({ a, b });
    }
    const ratio = (of: (seconds: Seconds) => number) =>
      spread(
        pairs.map(({ a, b }) => of(a) / of(b)),
        3,
      );
    const cpu = (which: keyof Pair) =>
      spread(
        pairs.map((pair) => pair[which].cpu),
        2,
      );
    const cells = [model, name, cpu('a'), cpu('b'), ratio(({ cpu: seconds }) => seconds), ratio(({ wall }) => wall)];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  }
}

// Compares the processor time of this checkout with that of another one, which is built as well: the jobs of the benchmark in
// turn, on the same users, pair by pair, so that a machine whose speed drifts does not decide.
//
//   git worktree add ../base COMMIT && (cd ../base && npm ci && npm run build)
//   npm run bench:pair -- --base ../base --rounds 9
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { measure } from '../bench/harness/measure.mjs';
import { faultOf } from '../bench/harness/outcome.mjs';
import { generateUsers } from './bench-users.mjs';

const here = fileURLToPath(new URL('..', import.meta.url));
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
const say = (text) => process.stderr.write(`${text}\n`);
if (values.base === undefined || !existsSync(path.join(values.base, 'dist/cli.js'))) {
  say(
    'error: --base names no checkout that is built\nhint: check out the other commit with `git worktree add` and build it there',
  );
  process.exit(64);
}

const rows = Number(values.rows);
const data = path.resolve(values.data ?? path.join(here, '.bench', String(rows)));
if (!existsSync(path.join(data, 'users.duckdb'))) await generateUsers(path.join(data, 'users.duckdb'), rows);

/** The case by the job, the model and the code of its checkout. */
async function caseOf(root, model, name) {
  const { casesOf } = await import(pathToFileURL(path.join(root, 'bench/harness/cases.mjs')));
  const flags = { cases: [name], peers: [], rawSeconds: 0, provider: 'cpu' };
  return casesOf({ root, data, model, flags })[0];
}

async function cpuOf(one) {
  await one.prepare();
  const { stdout, cpu, wall, problem } = await measure(one);
  const fault = problem ?? faultOf(await one.outcome({ stdout }), rows);
  if (fault !== undefined) throw new Error(`${one.name} in ${one.cwd}: ${fault}`);
  return { cpu, wall };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const spread = (numbers, digits) =>
  `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)}–${Math.max(...numbers).toFixed(digits)})`;

process.stdout.write(
  '| model | job | CPU s | CPU s of base | CPU, ratio | wall, ratio |\n| :-- | :-- | --: | --: | --: | --: |\n',
);
for (const model of values.models.split(',')) {
  for (const name of values.cases.split(',')) {
    const [mine, base] = [await caseOf(here, model, name), await caseOf(path.resolve(values.base), model, name)];
    const pairs = [];
    // The first pair warms up what is read from disk and is not counted.
    for (let round = 0; round <= Number(values.rounds); round += 1) {
      // Who comes first takes turns, too.
      const order = round % 2 === 0 ? [mine, base] : [base, mine];
      const measured = new Map();
      for (const one of order) measured.set(one, await cpuOf(one));
      const [a, b] = [measured.get(mine), measured.get(base)];
      say(`${model} ${name}, round ${round}: ${a.cpu.toFixed(2)} s of CPU, base ${b.cpu.toFixed(2)} s`);
      if (round > 0) pairs.push({ a, b });
    }
    const ratio = (of) =>
      spread(
        pairs.map(({ a, b }) => of(a) / of(b)),
        3,
      );
    const cpu = (which) =>
      spread(
        pairs.map((pair) => pair[which].cpu),
        2,
      );
    const cells = [model, name, cpu('a'), cpu('b'), ratio(({ cpu: seconds }) => seconds), ratio(({ wall }) => wall)];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  }
}

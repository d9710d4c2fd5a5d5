// Measures whole runs of score-batch on generated users beside the same job by other means, in turn, in one call.
//
//   npm run bench -- --rows 1000000,10000000 --models mlp,lgbm --peers python,daft,ray,pyspark --repetitions 3
//   npm run bench -- --help
//
// Figures of shared machines differ by tens of per cent from run to run: compare those of one call only.
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { casesOf, needParquet, packagesOf } from '../bench/harness/cases.mjs';
import { figuresOf } from '../bench/harness/figures.mjs';
import { HELP, parseFlags, UsageError } from '../bench/harness/flags.mjs';
import { machineFacts } from '../bench/harness/machine.mjs';
import { measure } from '../bench/harness/measure.mjs';
import { clearPublished, faultOf } from '../bench/harness/outcome.mjs';
import { folderOf, SCENARIOS } from '../bench/harness/scenarios.mjs';
import { showResults } from '../bench/harness/table.mjs';
import { exportUsers } from './bench-users.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const venv = path.join(root, '.bench', 'venv');
const say = (text) => process.stderr.write(`${text}\n`);

try {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.help) process.stdout.write(HELP);
  else if (flags.setup) setUp(flags.peers);
  else process.exitCode = await bench(flags);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  say(`error: ${error.message}\nhint: \`npm run bench -- --help\` shows the flags`);
  process.exitCode = 64;
}

/** @returns exit code: 1 where a run failed */
async function bench(flags) {
  refuseMissingPeers(flags.peers);
  const machine = machineFacts(root);
  const results = [];
  for (const scenario of flags.scenarios) {
    for (const rows of flags.rows) {
      const data = await folderOf(path.resolve(flags.data ?? path.join(root, '.bench')), scenario, rows, say);
      await readyData(data, scenario === 'plain' && needParquet(flags.peers));
      for (const model of SCENARIOS[scenario].models ?? flags.models) {
        const runs = await takeTurns({ root, data, model, scenario, flags }, rows);
        results.push({ scenario, model, rows, cases: figuresOf(runs, rows), measured: runs });
      }
      await clearPublished(path.join(data, 'users.duckdb'));
    }
  }
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  write(flags, { command, machine, flags, results });
  return results.some(({ measured }) => measured.some(({ problem }) => problem !== undefined)) ? 1 : 0;
}

/** A B C A B C …; a case that fails is measured again in the next round like any other. */
async function takeTurns(setting, rows) {
  const runs = [];
  for (let repetition = 0; repetition < setting.flags.repetitions; repetition += 1) {
    for (const one of casesOf(setting)) {
      await one.prepare();
      const before = runs.findLast(({ workers }) => workers !== undefined);
      const { stdout, ...measured } = await measure({ ...one, args: one.args ?? one.argsAfter(before) });
      const outcome = measured.problem === undefined ? await outcomeOf(one, stdout, rows, runs, setting.flags) : {};
      runs.push({ name: one.name, kind: one.kind, job: one.job, peer: one.peer, repetition, ...measured, ...outcome });
      say(`${setting.scenario} ${setting.model} ${rows} rows, round ${repetition + 1}: ${one.name} ${showRun(runs.at(-1))}`);
    }
  }
  return runs;
}

async function outcomeOf(one, stdout, rows, runs, flags) {
  try {
    const outcome = await one.outcome({ stdout });
    if (one.kind === 'raw') return outcome;
    const good = runs.filter(({ meanScore, problem }) => meanScore !== undefined && problem === undefined);
    // Another device computes the last bits in another way.
    const exact = flags.provider === 'cpu' && flags.peerProvider === 'CPUExecutionProvider';
    const same = exact ? good.find(({ job, tables }) => job === one.job && tables !== undefined) : undefined;
    const problem = faultOf(outcome, rows, same ?? { meanScore: good[0]?.meanScore });
    return { ...outcome, ...(problem && { problem }) };
  } catch (error) {
    return { problem: `its work cannot be read: ${error.message}` };
  }
}

function showRun({ problem, wall, peak, rowsPerSecond }) {
  if (problem !== undefined) return `FAILED: ${problem}`;
  if (rowsPerSecond !== undefined) return `${Math.round(rowsPerSecond)} rows/s`;
  return `${wall.toFixed(2)} s, ${Math.round(peak / 2 ** 20)} MiB`;
}

/** Clears what an earlier command left, and has all of it in memory that fits there. */
async function readyData(data, asParquet) {
  const warehouse = path.join(data, 'users.duckdb');
  const parquet = path.join(data, 'parquet');
  await clearPublished(warehouse);
  if (asParquet) await exportUsers(warehouse, parquet);
  const files = [warehouse, ...(existsSync(parquet) ? readdirSync(parquet).map((name) => path.join(parquet, name)) : [])];
  const gigabytes = files.reduce((sum, file) => sum + statSync(file).size, 0) / 1e9;
  say(`${data}: ${gigabytes.toFixed(2)} GB`);
  // Whoever comes first must not be the only one to wait for the disk.
  for (const file of files) for await (const _ of createReadStream(file));
}

function refuseMissingPeers(peers) {
  if (peers.length === 0) return;
  if (!existsSync(path.join(venv, 'bin', 'python'))) {
    throw new UsageError(
      'the peers need a Python environment: `npm run bench -- --setup` makes it, `--peers none` does without',
    );
  }
  if (!peers.includes('pyspark')) return;
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' });
  } catch {
    throw new UsageError('PySpark needs Java 17 or newer; --peers python,daft,ray does without');
  }
}

/** Only what these peers need: all four are more than a gigabyte. */
function setUp(peers) {
  const python = path.join(venv, 'bin', 'python');
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
  const needed = packagesOf(peers);
  const pinned = readFileSync(path.join(root, 'bench/peers/requirements.txt'), 'utf8')
    .split('\n')
    .filter((line) => needed.includes(/^[\w-]+/.exec(line)?.[0]));
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...pinned], { stdio: 'inherit' });
  say(`the peers run in ${venv}`);
}

function write(flags, results) {
  const stamp = results.machine.date.slice(0, 16).replace(/[-:]/g, '');
  const out = path.resolve(flags.out ?? path.join(root, '.bench', `results-${stamp}`));
  mkdirSync(path.dirname(out), { recursive: true });
  const json = flags.json === undefined ? `${out}.json` : path.resolve(flags.json);
  mkdirSync(path.dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(`${out}.md`, showResults(results));
  process.stdout.write(showResults(results));
  say(`written to ${out}.md and ${json}`);
}

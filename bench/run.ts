// Measures whole runs of score-batch on generated users and the same job with other tools, in turn, in one call.
//
//   npm run bench -- --rows 1000000,10000000 --models mlp,lgbm --peers python,daft,ray,pyspark --repetitions 3
//   npm run bench -- --help
//
// On shared machines, figures differ by tens of per cent from run to run: compare only those of one call.
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../scripts/root.ts';
import { type Case, type CaseFlags, casesOf, needParquet, packagesOf } from './harness/cases.ts';
import { figuresOf, type Run } from './harness/figures.ts';
import { type Flags, HELP, type Peer, parseFlags, UsageError } from './harness/flags.ts';
import { machineFacts } from './harness/machine.ts';
import { measure } from './harness/measure.ts';
import { clearPublished, faultOf, type Work } from './harness/outcome.ts';
import { folderOf, SCENARIOS, type ScenarioName } from './harness/scenarios.ts';
import { type Result, type Results, showResults } from './harness/table.ts';
import { exportUsers } from './users.ts';

const venv = path.join(ROOT, '.bench', 'venv');
const say = (text: string) => process.stderr.write(`${text}\n`);

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

/** @returns exit code: 1 if a run failed */
async function bench(flags: Flags): Promise<number> {
  refuseMissingPeers(flags.peers);
  const machine = machineFacts(ROOT);
  const results: Result[] = [];
  for (const scenario of flags.scenarios) {
    for (const rows of flags.rows) {
      const data = await folderOf(path.resolve(flags.data ?? path.join(ROOT, '.bench')), scenario, rows, say);
      await readyData(data, scenario === 'plain' && needParquet(flags.peers));
      for (const model of SCENARIOS[scenario].models ?? flags.models) {
        const runs = await takeTurns({ data, model, scenario, flags }, rows);
        results.push({ scenario, model, rows, cases: figuresOf(runs, rows), measured: runs });
      }
      await clearPublished(path.join(data, 'users.duckdb'));
    }
  }
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ');
  write(flags, { command, machine, flags, results });
  return results.some(({ measured }) => measured.some(({ problem }) => problem !== undefined)) ? 1 : 0;
}

interface Setting {
  readonly data: string;
  readonly model: string;
  readonly scenario: ScenarioName;
  readonly flags: CaseFlags & Pick<Flags, 'repetitions'>;
}

/** A B C A B C …; a failed case is measured again in the next round like any other. */
async function takeTurns(setting: Setting, rows: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (let repetition = 0; repetition < setting.flags.repetitions; repetition += 1) {
    for (const one of casesOf({ root: ROOT, ...setting })) {
      await one.prepare();
      const before = runs.findLast(({ workers }) => workers !== undefined);
      const measured = await measure({ ...one, args: one.kind === 'raw' ? one.argsAfter(before) : one.args });
      const outcome = measured.problem === undefined ? await outcomeOf(one, measured.stdout, rows, runs, setting.flags) : {};
      const { stdout: _, ...measures } = measured;
      const run: Run = { ...factsOf(one), repetition, ...measures, ...outcome };
      runs.push(run);
      say(`${setting.scenario} ${setting.model} ${rows} rows, round ${repetition + 1}: ${one.name} ${showRun(run)}`);
    }
  }
  return runs;
}

function factsOf(one: Case): Pick<Run, 'name' | 'kind' | 'job' | 'peer'> {
  const { name, kind } = one;
  if (kind === 'raw') return { name, kind };
  return { name, kind, job: one.job, ...(one.kind === 'peer' && { peer: one.peer }) };
}

async function outcomeOf(
  one: Case,
  stdout: string,
  rows: number,
  runs: readonly Run[],
  flags: CaseFlags,
): Promise<Partial<Run>> {
  try {
    if (one.kind === 'raw') return await one.outcome({ stdout });
    const outcome: Work = await one.outcome({ stdout });
    const good = runs.filter(({ meanScore, problem }) => meanScore !== undefined && problem === undefined);
    // Other devices compute the last bits differently.
    const exact = flags.provider === 'cpu' && flags.peerProvider === 'CPUExecutionProvider';
    const same = exact ? good.find(({ job, tables }) => job === one.job && tables !== undefined) : undefined;
    const mean = good[0]?.meanScore;
    const problem = faultOf(outcome, rows, same ?? (mean === undefined ? {} : { meanScore: mean }));
    return { ...outcome, ...(problem && { problem }) };
  } catch (error) {
    return { problem: `its work cannot be read: ${error instanceof Error ? error.message : error}` };
  }
}

function showRun({ problem, wall = Number.NaN, peak = Number.NaN, rowsPerSecond }: Run): string {
  if (problem !== undefined) return `FAILED: ${problem}`;
  if (rowsPerSecond !== undefined) return `${Math.round(rowsPerSecond)} rows/s`;
  return `${wall.toFixed(2)} s, ${Math.round(peak / 2 ** 20)} MiB`;
}

/** Clears what an earlier command left, and loads the data into the disk cache. */
async function readyData(data: string, asParquet: boolean): Promise<void> {
  const warehouse = path.join(data, 'users.duckdb');
  const parquet = path.join(data, 'parquet');
  await clearPublished(warehouse);
  if (asParquet) await exportUsers(warehouse, parquet);
  const files = [warehouse, ...(existsSync(parquet) ? readdirSync(parquet).map((name) => path.join(parquet, name)) : [])];
  const gigabytes = files.reduce((sum, file) => sum + statSync(file).size, 0) / 1e9;
  say(`${data}: ${gigabytes.toFixed(2)} GB`);
  // So that the first case does not have to wait for the disk.
  for (const file of files) for await (const _ of createReadStream(file));
}

function refuseMissingPeers(peers: readonly Peer[]): void {
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

/** Installs only what these peers need: all four take more than a gigabyte. */
function setUp(peers: readonly Peer[]): void {
  const python = path.join(venv, 'bin', 'python');
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
  const needed = packagesOf(peers);
  const pinned = readFileSync(path.join(ROOT, 'bench/peers/requirements.txt'), 'utf8')
    .split('\n')
    .filter((line) => needed.includes(/^[\w-]+/.exec(line)?.[0] ?? ''));
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...pinned], { stdio: 'inherit' });
  say(`the peers run in ${venv}`);
}

function write(flags: Flags, results: Results): void {
  const stamp = results.machine.date.slice(0, 16).replace(/[-:]/g, '');
  const out = path.resolve(flags.out ?? path.join(ROOT, '.bench', `results-${stamp}`));
  mkdirSync(path.dirname(out), { recursive: true });
  const json = flags.json === undefined ? `${out}.json` : path.resolve(flags.json);
  mkdirSync(path.dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(`${out}.md`, showResults(results));
  process.stdout.write(showResults(results));
  say(`written to ${out}.md and ${json}`);
}

// Measures one whole run of score-batch on generated users: wall time, peak memory, seconds per stage.
//
//   npm run bench -- --rows 1000000 --runs 5
//   npm run bench -- --rows 1000000 --peer 'python peer.py {data}'      A B A B …, in one run, from the folder bench/
//
// Every run publishes over the one before, so the old window is replaced too. Figures of shared machines differ by tens of
// per cent from run to run: compare medians of one call only.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generateUsers } from './bench-users.mjs';

const { values: flags } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' }, peer: { type: 'string' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const data = path.join(root, '.bench', flags.rows);
const warehouse = path.join(data, 'users.duckdb');
const environment = { ...process.env, WAREHOUSE_URL: `duckdb:${warehouse}`, REPORTS: path.join(data, 'reports') };
const say = (text) => process.stdout.write(`${text}\n`);

if (existsSync(warehouse)) say(`reusing ${warehouse}`);
else await generateUsers(warehouse, Number(flags.rows));
const ours = [];
const theirs = [];
for (let run = 0; run < Number(flags.runs); run += 1) {
  ours.push(await measure([process.execPath, `${root}dist/cli.js`, '--job', 'bench', '--week', '2026-W32', '--json', '-q']));
  if (flags.peer) theirs.push(await measure(['bash', '-c', `exec ${flags.peer.replaceAll('{data}', data)}`]));
}
report('score-batch', ours);
if (theirs.length > 0) {
  report('peer', theirs);
  say(`ratio score-batch / peer, pair by pair: ${theirs.map((peer, i) => (ours[i].wall / peer.wall).toFixed(2)).join(' ')}`);
}
const stages = ours.map(({ stdout }) => JSON.parse(stdout.trim().split('\n').at(-1)).seconds);
say(
  `seconds per stage (medians): ${Object.keys(stages[0])
    .map((stage) => `${stage} ${median(stages.map((run) => run[stage])).toFixed(2)}`)
    .join(' · ')}`,
);

/** Wall seconds and peak resident megabytes of a whole process; VmHWM is the kernel's own high-water mark. */
function measure([command, ...args]) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, {
      cwd: path.join(root, 'bench'),
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let peak = 0;
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    const timer = setInterval(() => {
      try {
        peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
      } catch {
        // The process has just ended, or this is not Linux.
      }
    }, 20);
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(timer);
      if (code !== 0) reject(new Error(`${command} ended with ${code}`));
      else resolve({ wall: (performance.now() - start) / 1000, peak: peak / 1024, stdout });
    });
  });
}

function report(name, runs) {
  const walls = runs.map(({ wall }) => wall);
  say(
    `${name}: wall ${median(walls).toFixed(2)} s (${walls.map((wall) => wall.toFixed(2)).join(' ')}), peak memory ${Math.round(Math.max(...runs.map(({ peak }) => peak)))} MiB`,
  );
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

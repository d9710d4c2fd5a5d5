// How processes that run `score --shard i/n` share one run on a BigQuery emulator: chunks per process, chunks scored twice,
// requests. All processes and the emulator share one machine, so more shards are not faster here.
//
//   npm run bench:shards -- --shards 1,2,4,8 --rows 200000 --chunk-rows 5000
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../scripts/root.ts';
import { dataFolder, output, startWithUsers } from './emulator.ts';

type Kind = 'load' | 'query' | 'other';

/** A proxy that counts requests. */
interface CountingProxy {
  readonly counts: Readonly<Record<Kind, number>>;
  readonly url: string;
  close(): void;
}

/** What the phases print, as far as it is used here. */
interface PhaseSummary {
  readonly chunks: number;
  readonly chunks_scored: number;
  readonly state: string;
}

const { values: flags } = parseArgs({
  options: {
    shards: { type: 'string', default: '1,2,4,8' },
    rows: { type: 'string', default: '200000' },
    'chunk-rows': { type: 'string', default: '5000' },
  },
});
const emulator = await startWithUsers(Number(flags.rows));
const project = makeProject();
const proxy = await countRequests(emulator.rest);
const HEADER = [
  'shards',
  'chunks',
  'chunks per shard',
  'scored again',
  'load jobs',
  'query jobs',
  'other requests',
  'requests per chunk',
  'seconds',
];
const lines: (string | number)[][] = [];
try {
  for (const shards of flags.shards.split(',').map(Number)) lines.push(await measure(shards));
} finally {
  proxy.close();
  emulator.stop();
}
const widths = HEADER.map((title, i) => Math.max(title.length, ...lines.map((cells) => String(cells[i]).length)));
const show = (cells: readonly (string | number)[]) =>
  `| ${cells.map((cell, i) => String(cell).padStart(widths[i] ?? 0)).join(' | ')} |\n`;
const rule = `|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|\n`;
process.stdout.write(show(HEADER) + rule + lines.map(show).join(''));

/** Freezes a new run, scores it with this many processes of one worker each, and publishes it. Only scoring is counted. */
async function measure(shards: number): Promise<(string | number)[]> {
  const { chunks } = await scoreBatch('freeze', '--fresh');
  const before = { ...proxy.counts };
  const start = performance.now();
  const summaries = await Promise.all(
    Array.from({ length: shards }, (_, i) => scoreBatch('score', '--shard', `${i + 1}/${shards}`, '--workers', '1')),
  );
  const seconds = (performance.now() - start) / 1000;
  const since = (kind: Kind) => proxy.counts[kind] - before[kind];
  const [load, query, other] = [since('load'), since('query'), since('other')];
  const { state } = await scoreBatch('publish');
  if (state !== 'published') throw new Error(`the run of ${shards} shards is ${state}`);
  const scored = summaries.map((summary) => summary.chunks_scored);
  return [
    shards,
    chunks,
    scored.sort((a, b) => a - b).join(' '),
    scored.reduce((sum, count) => sum + count, 0) - chunks,
    load,
    query,
    other,
    ((load + query + other) / chunks).toFixed(1),
    seconds.toFixed(1),
  ];
}

async function scoreBatch(command: string, ...args: string[]): Promise<PhaseSummary> {
  const always = ['-C', project, '--job', 'bench', '--week', '2026-W32', '--json', '-q'];
  const stdout = await output(process.execPath, [path.join(ROOT, 'dist/cli.js'), command, ...always, ...args], {
    WAREHOUSE_URL: 'bigquery://bench/shop',
    BIGQUERY_EMULATOR_HOST: proxy.url,
    BIGQUERY_STORAGE_EMULATOR_HOST: emulator.grpc,
    METADATA_SERVER_DETECTION: 'none',
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as PhaseSummary;
}

/** The project of the other benchmarks, with smaller chunks. */
function makeProject(): string {
  const folder = path.join(dataFolder(Number(flags.rows)), 'shards');
  mkdirSync(path.join(folder, 'jobs'), { recursive: true });
  cpSync(path.join(ROOT, 'bench/mlp'), path.join(folder, 'mlp'), { recursive: true });
  cpSync(path.join(ROOT, 'bench/jobs/users.sql'), path.join(folder, 'jobs/users.sql'));
  const job = readFileSync(path.join(ROOT, 'bench/jobs/bench.yaml'), 'utf8');
  const column = '  column: churn_propensity\n';
  writeFileSync(path.join(folder, 'jobs/bench.yaml'), job.replace(column, `${column}  chunk_rows: ${flags['chunk-rows']}\n`));
  return folder;
}

/** Forwards every request, and counts those that start a job, by kind. Rows are read by gRPC, bypassing it. */
async function countRequests(target: string): Promise<CountingProxy> {
  const counts: Record<Kind, number> = { load: 0, query: 0, other: 0 };
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url = '/' } = incoming;
    counts[kindOf(method, url)] += 1;
    const forwarded = request(new URL(url, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { counts, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

function kindOf(method: string | undefined, url: string): Kind {
  if (method !== 'POST') return 'other';
  if (url.startsWith('/upload/')) return 'load';
  return /\/(jobs|queries)(\?|$)/.test(url) ? 'query' : 'other';
}

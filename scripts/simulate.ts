// Simulates how processes that run `score --shard i/n` share the chunks of a run: the decisions of src/run/share.ts with a
// clock and a warehouse in memory. Assumptions about a warehouse's speed are in test/simulation/shards.ts.
//
//   npm run simulate -- --shards 1,2,4,8,16,32,64 --chunks 1000 --workers 1 --seed 1
//
// With --deaths, every fourth shard is killed within the first half, and half of those restart after a minute.
import { parseArgs } from 'node:util';
import { type Death, simulateShards } from '../test/simulation/shards.ts';

const { values: flags } = parseArgs({
  options: {
    shards: { type: 'string', default: '1,2,4,8,16,32,64' },
    chunks: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    deaths: { type: 'boolean', default: false },
  },
});
const chunks = Number(flags.chunks);
const rows: (string | number)[][] = [];
for (const shards of flags.shards.split(',').map(Number)) {
  const options = { shards, chunks, workers: Number(flags.workers), seed: Number(flags.seed) };
  const { idealSeconds } = await simulateShards({ ...options, chunks: Math.min(chunks, shards) });
  const half = ((chunks / shards) * idealSeconds) / 2;
  const deaths = flags.deaths ? everyFourth(shards, half) : [];
  const {
    perShard,
    duplicates,
    statements,
    seconds,
    idealSeconds: ideal,
    missing,
  } = await simulateShards({ ...options, deaths });
  if (missing > 0) throw new Error(`${missing} chunks were not scored`);
  const { read, load, look } = statements;
  rows.push([
    shards,
    `${Math.min(...perShard)} to ${Math.max(...perShard)}`,
    `${duplicates} (${((100 * duplicates) / chunks).toFixed(1)} %)`,
    `${((read + load + look) / chunks).toFixed(2)}`,
    `${(look / chunks).toFixed(2)}`,
    minutes(seconds),
    minutes(ideal),
  ]);
}
const header = ['shards', 'chunks per shard', 'scored again', 'statements per chunk', 'of these, looks', 'minutes', 'if ideal'];
const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => String(row[i]).length)));
const line = (cells: readonly (string | number)[]) =>
  `| ${cells.map((cell, i) => String(cell).padStart(widths[i] ?? 0)).join(' | ')} |\n`;
process.stdout.write(line(header));
process.stdout.write(`|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|\n`);
for (const row of rows) process.stdout.write(line(row));

function minutes(seconds: number): string {
  return (seconds / 60).toFixed(1);
}

/** Leaves at least one shard. */
function everyFourth(shards: number, until: number): Death[] {
  return Array.from({ length: Math.floor(shards / 4) }, (_, i) => ({
    shard: 4 * i + 1,
    at: Math.round((until * (i + 1)) / Math.floor(shards / 4)),
    restart: i % 2 === 0 ? 60 : undefined,
  }));
}

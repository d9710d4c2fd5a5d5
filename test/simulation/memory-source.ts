import { BUCKETS, bucketsOf, type FrozenTable } from '../../src/domain/frozen-table.ts';
import { ScoreBatchError } from '../../src/errors.ts';
import { DUCKDB } from '../../src/warehouse/duckdb/dialect.ts';
import { artifactsOf, type Mark, newMark } from '../../src/warehouse/mark.ts';
import { frozenTable } from '../../src/warehouse/sql/frozen.ts';
import type { Scratch, Source } from '../../src/warehouse/warehouse.ts';
import type { MemoryProcess } from './memory-process.ts';
import { keyHash, type SourceRow, type World } from './world.ts';

/** Like BigQuery and Snowflake: a frozen table, and a manifest that marks it as complete. */
export function memorySource(world: World, process: MemoryProcess): Source {
  const { frozen, manifests } = world.scratch;
  const readFrozen = (runId: string) =>
    process.ask('read the manifest', () => (frozen.has(runId) ? manifests.get(runId)?.table : undefined));
  const rowsOf = (runId: string): readonly SourceRow[] => {
    const table = frozen.get(runId);
    if (table === undefined) throw new ScoreBatchError('conflict', `the frozen table of ${runId} is gone`);
    return table.rows;
  };
  return {
    dialect: DUCKDB,
    async freeze(_, { runId, columns, ...chunking }) {
      const existing = await readFrozen(runId);
      if (existing !== undefined) return existing;
      if (!(await process.ask('look for the frozen table', () => frozen.has(runId)))) {
        await process.ask('drop the manifest', () => manifests.delete(runId));
      }
      await process.ask('freeze', () => {
        if (!frozen.has(runId)) frozen.set(runId, { mark: newMark('job', runId), rows: world.source });
      });
      const table = await process.ask('count what was frozen', () =>
        frozenTable(runId, columns, chunking, countBuckets(rowsOf(runId))),
      );
      await process.ask('write the manifest', () => {
        if (!manifests.has(runId)) manifests.set(runId, { mark: newMark('job', runId), table });
      });
      return (await readFrozen(runId)) ?? table;
    },
    frozen: readFrozen,
    verify: async (table) => {
      const now = await process.ask('count what was frozen', () =>
        frozenTable(table.runId, [], { chunkRows: 1 }, countBuckets(rowsOf(table.runId))),
      );
      if (now.rows !== table.rows) throw new ScoreBatchError('refused', 'the frozen rows are not those that were frozen');
    },
    identity: async () => 'memory',
    eraseFrozen: notAsked,
    async dropFrozen(runId) {
      await process.ask('drop the manifest', () => manifests.delete(runId));
      await process.ask('drop the frozen table', () => frozen.delete(runId));
    },
    ...scratchOf(world, process, [frozen, manifests]),
    select: notAsked,
    selectFrozen: notAsked,
    showFrozen: notAsked,
    describe: notAsked,
    ready: notAsked,
    loadChunk: notAsked,
    probe: notAsked,
  };
}

/** Rows of a chunk that a chunk worker would load into its DuckDB. */
export function rowsOfChunk(world: World, { runId, divisions }: FrozenTable, chunk: number): readonly SourceRow[] | undefined {
  const [first, end] = bucketsOf(chunk, divisions);
  return world.scratch.frozen.get(runId)?.rows.filter(({ key }) => {
    const bucket = bucketOf(key);
    return bucket >= first && bucket < end;
  });
}

/** Deadlines are compared with the real clock, so `world.later` moves them forward. */
export function scratchOf(
  { later }: World,
  process: MemoryProcess,
  kinds: readonly Map<string, { readonly mark: Mark }>[],
): Scratch {
  return {
    listArtifacts: () =>
      process.ask('list scratch', () =>
        kinds.flatMap((tables, kind) =>
          [...tables].flatMap(([name, { mark }]) =>
            artifactsOf('job', `${kind} ${name}`, {
              ...mark,
              deadline: new Date(Date.parse(mark.deadline) - later).toISOString(),
            }),
          ),
        ),
      ),
    async drop({ name }) {
      const [kind, ...run] = name.split(' ');
      await process.ask('drop artifacts', () => kinds[Number(kind)]?.delete(run.join(' ')));
    },
  };
}

export async function notAsked(): Promise<never> {
  throw new Error('a run does not ask for this');
}

function bucketOf(key: string): number {
  return Number(keyHash(key) % BigInt(BUCKETS));
}

/** Rows as every warehouse's statement returns them: bucket, rows, and the sums of the hashes' upper and lower halves. */
function countBuckets(rows: readonly SourceRow[]): string[][] {
  const buckets = new Map<number, SourceRow[]>();
  for (const row of rows) buckets.set(bucketOf(row.key), [...(buckets.get(bucketOf(row.key)) ?? []), row]);
  return [...buckets].map(([bucket, inside]) => [String(bucket), String(inside.length), '0', checksumOfKeys(inside)]);
}

export function checksumOfKeys(rows: readonly SourceRow[]): string {
  return String(rows.reduce((sum, { key }) => sum + keyHash(key), 0n));
}

import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FrozenTable } from '../../../src/domain/frozen-table.ts';
import type { Schema } from '../../../src/domain/schema.ts';
import type { Feature, Signature } from '../../../src/domain/signature.ts';
import { openDatabase } from '../../../src/duckdb/database.ts';
import type { BatchedSession } from '../../../src/runtime/batches.ts';
import { scoreChunk } from '../../../src/score/chunk.ts';
import type { WorkerSetup } from '../../../src/score/messages.ts';
import { openBigquery } from '../../../src/warehouse/bigquery/open.ts';
import { canFeed } from '../../../src/warehouse/feeding.ts';
import { DEFAULT_TIMEOUTS } from '../../../src/warehouse/timeouts.ts';
import type { Source, Warehouse } from '../../../src/warehouse/warehouse.ts';
import { type Fate, startBreakingProxy } from '../../support/breaking-proxy.ts';
import { temporaryFolder } from '../../support/project.ts';
import { environment, REAL } from './subject.ts';

// A chunk whose features go to the encoder without a table, beside the same one that is loaded whole: the files must be equal.

const emulator = REAL === undefined ? environment() : undefined;
const ROWS = 20_000;

/** A key that repeats and is null, features of every type that a model takes, with nulls and values that are rejected. */
const QUERY = {
  name: 'jobs/query.sql',
  texts: [
    `select
       if(i = 11, null, if(i = 4001, 4000, i)) as user_id,
       concat('kept, more than twelve bytes ', cast(i as string)) as text,
       if(mod(i, 5) = 0, null, i * 1000003) as whole,
       if(mod(i, 7) = 0, null, i / 7) as ratio,
       cast(if(mod(i, 9) = 0, null, i) as numeric) / 8 as price,
       mod(i, 3) = 0 as flag,
       case mod(i, 6) when 0 then 'élan' when 1 then 'basic' when 2 then 'a plan of more than twelve bytes' when 3 then null else 'pro' end as plan
     from unnest(generate_array(0, ${ROWS - 1})) as i`,
  ],
  parameters: [],
};

const feature = (name: string, more: Partial<Feature> = {}): Feature => ({
  name,
  nullable: true,
  unknown: 'quarantine',
  ...more,
});

const SIGNATURE: Signature = {
  inputs: [
    {
      name: 'numbers',
      dtype: 'float32',
      features: [
        feature('whole', { default: -1, range: [0, 19_000_000_000] }),
        feature('ratio', { range: [0, 2700] }),
        feature('price', { nullable: false, range: [0.5, 2400.25] }),
        feature('flag'),
        // Also the key: passed through, and encoded.
        feature('user_id', { default: 0 }),
      ],
    },
    { name: 'wide', dtype: 'int64', features: [feature('whole_again', { default: 0, range: [0, 18_000_000_000] })] },
    {
      name: 'texts',
      dtype: 'string',
      features: [
        feature('plan', { nullable: true, default: '', categories: ['basic', 'pro', 'a plan of more than twelve bytes'] }),
      ],
    },
  ],
  output: { name: 'p', index: 0 },
};

/** Which column feeds which feature, in order. */
const FEATURES = ['whole', 'ratio', 'price', 'flag', 'user_id', 'whole', 'plan'];

/** Scores that depend on every value that was encoded. */
const SESSION: Pick<BatchedSession, 'provider' | 'run'> = {
  provider: 'cpu',
  async run(inputs) {
    const [numbers, wide, texts] = inputs;
    const rows = numbers?.shape[0] ?? 0;
    const values = Float64Array.from({ length: rows }, (_, row) => {
      let sum = Number(wide?.values[row]) + String(texts?.values[row]).length * 31;
      for (let j = 0; j < 5; j += 1) sum += (Number(numbers?.values[row * 5 + j]) || 0.25) * (j + 1);
      return (Math.abs(sum) % 1009) / 1009;
    });
    return { values, width: 1 };
  },
};

function open(project: string, storage: string | undefined): Warehouse {
  return openBigquery(
    {
      url: `bigquery://${project}/home?location=EU`,
      job: 'job',
      root: '/',
      scratch: 'home',
      memory: 1e9,
      maxBytes: undefined,
      environment: { ...emulator, BIGQUERY_STORAGE_EMULATOR_HOST: storage },
      warn: () => undefined,
      signal: new AbortController().signal,
    },
    { ...DEFAULT_TIMEOUTS, attempts: 3, pause: 5, silence: 60_000 },
  );
}

async function freeze(where = ''): Promise<{ project: string; storage: string; frozen: FrozenTable; columns: Schema }> {
  const project = `feed-${randomBytes(6).toString('hex')}`;
  const storage = emulator?.BIGQUERY_STORAGE_EMULATOR_HOST ?? '';
  const { source } = open(project, storage);
  const query = { ...QUERY, texts: [`${QUERY.texts[0]} ${where}`] };
  const columns = await source.describe(query);
  const options = { runId: 'run', key: columns.slice(0, 1), columns, chunkRows: 1e6, hash: 'md5' } as const;
  return { project, storage, columns, frozen: await source.freeze(query, options) };
}

interface Outcome {
  /** Rows of the scored file, in an order of their own, without what differs from attempt to attempt. */
  readonly rows: readonly unknown[];
  readonly facts: unknown;
}

async function score(
  source: Source,
  frozen: FrozenTable,
  columns: Schema,
  { hashKey, slice }: Partial<Pick<WorkerSetup, 'hashKey' | 'slice'>> = {},
): Promise<Outcome> {
  const folder = await temporaryFolder();
  await using database = await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: folder });
  const setup = {
    frozen,
    signature: SIGNATURE,
    done: new SharedArrayBuffer(8),
    scorer: { model: 'm', provider: 'cpu' },
    key: columns.slice(0, 1),
    keep: columns.slice(1, 2),
    features: FEATURES.map((name) => columns.find((column) => column.name === name)),
    batchRows: 5000,
    hashValues: hashKey !== undefined,
    hashKey,
    slice,
    stagesText: true,
    scoredAt: '2026-11-26T00:00:00Z',
    folder,
    memory: 1e9,
  } as unknown as WorkerSetup;
  const rows = frozen.chunks[0]?.rows ?? 0;
  const scored = await scoreChunk(
    { chunk: 0, rows },
    { setup, source, session: SESSION as unknown as BatchedSession, database, stopped: () => false },
  );
  const file = `read_parquet('${scored?.file}')`;
  const found = await database.rows(
    `SELECT key_0, keep_0, score::VARCHAR, reason, column_name, value, scored_at FROM ${file} ORDER BY ALL`,
  );
  const [facts] = await database.rows(`SELECT facts FROM ${file} WHERE facts IS NOT NULL`);
  return { rows: found, facts: facts?.[0] };
}

/** The same source without the power to feed. */
function loading(source: Source): Source {
  if (!canFeed(source)) throw new Error('BigQuery feeds chunks');
  const { feedChunk: _, ...others } = source;
  return { ...others, loadChunk: (...chunk) => source.loadChunk(...chunk) };
}

async function broken(project: string, storage: string, fate: Fate) {
  const proxy = await startBreakingProxy(storage, fate);
  onTestFinished(proxy.close);
  return { source: open(project, proxy.host).source, connections: proxy.connections };
}

// Without an emulator; the last line of the output says why there is none.
describe.skipIf(emulator === undefined)('a chunk whose features are fed', () => {
  it('is scored as one that is loaded whole, rejected values included, and after a read that broke', async () => {
    const { project, storage, frozen, columns } = await freeze();
    const { source } = open(project, storage);
    const loaded = await score(loading(source), frozen, columns);
    const reasons = loaded.rows.map((row) => (row as unknown[])[3]);
    expect(new Set(reasons)).toEqual(
      new Set([null, 'null key', 'duplicate key', 'feature out of range', 'null in a required feature', 'unknown category']),
    );
    expect(await score(source, frozen, columns)).toEqual(loaded);
    const cut = await broken(project, storage, (nth) => (nth === 1 ? { after: 600_000, end: 'cut' } : undefined));
    expect(await score(cut.source, frozen, columns)).toEqual(loaded);
    expect(cut.connections()).toBeGreaterThan(1);
    const hashed = { hashKey: 'secret' };
    expect(await score(source, frozen, columns, hashed)).toEqual(await score(loading(source), frozen, columns, hashed));
    // A slice loads what could be fed.
    expect((await score(source, frozen, columns, { slice: { earlier: undefined } })).rows).toEqual(loaded.rows);
  });

  it('may have rows none of which is rejected, or no rows at all', async () => {
    const some = await freeze('where i between 6001 and 6002');
    const { source } = open(some.project, some.storage);
    const scored = await score(source, some.frozen, some.columns);
    expect(scored).toEqual(await score(loading(source), some.frozen, some.columns));
    const empty = await freeze('where i < 0');
    const none = { ...empty.frozen, chunks: [{ chunk: 0, rows: 0, checksum: '0' }] };
    expect((await score(open(empty.project, empty.storage).source, none, empty.columns)).rows).toEqual([]);
  });

  it('rethrows what the consumer of the batches throws, and stops reading', async () => {
    const { project, storage, frozen, columns } = await freeze();
    const { source, connections } = await broken(project, storage, () => undefined);
    const failing = { ...SESSION, run: () => Promise.reject(new Error('socket hang up')) } as unknown as BatchedSession;
    await using database = await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: await temporaryFolder() });
    const setup = {
      frozen,
      signature: SIGNATURE,
      done: new SharedArrayBuffer(8),
      key: columns.slice(0, 1),
      keep: [],
      features: FEATURES.map((name) => columns.find((column) => column.name === name)),
      batchRows: 5000,
    } as unknown as WorkerSetup;
    const task = { chunk: 0, rows: ROWS };
    await expect(scoreChunk(task, { setup, source, session: failing, database, stopped: () => false })).rejects.toThrow(
      /^socket hang up$/,
    );
    expect(connections()).toBe(1);
    await expect(
      scoreChunk(task, { setup, source, session: SESSION as unknown as BatchedSession, database, stopped: () => true }),
    ).resolves.toBeUndefined();
  });
});

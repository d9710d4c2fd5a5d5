import { PassThrough } from 'node:stream';
import { Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { expect, it } from 'vitest';
import { openDatabase } from '../../../src/duckdb/database.ts';
import type { BatchedSession } from '../../../src/runtime/batches.ts';
import type { InputTensor } from '../../../src/runtime/session.ts';
import { scoreChunk } from '../../../src/score/chunk.ts';
import type { WorkerSetup } from '../../../src/score/messages.ts';
import type { Connection } from '../../../src/warehouse/bigquery/connection.ts';
import { feedRows } from '../../../src/warehouse/bigquery/feed.ts';
import type { FedBatch, FeedingSource } from '../../../src/warehouse/feeding.ts';
import { DEFAULT_TIMEOUTS } from '../../../src/warehouse/timeouts.ts';
import type { Source } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/project.ts';

// A client of which is known what arrives before a read breaks, which no proxy can tell to the message.

/** Rows of a message, more than a batch. */
const ROWS = 3000;
const ID = { name: 'id', type: 'integer', native: 'INT64' } as const;
const RATIO = { name: 'Ratio', type: 'float', native: 'FLOAT64' } as const;
const WANTED = { passed: [ID], features: [RATIO, ID], kinds: ['float64', 'float64'] } as const;
const READ = { table: { project: 'p', dataset: 'd', table: 't' }, restriction: '', into: 'chunk' };

/** Ids from `first` on, with what they are divided by seven, and a text that a model knows beside every tenth. */
function message(first: number): unknown {
  const ids = BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(first + i));
  const ratio = Float64Array.from(ids, (id) => Number(id) / 7);
  const plan = vectorFromArray(
    Array.from(ids, (id) => (id % 10n === 0n ? 'pro' : 'unheard of')),
    new Utf8(),
  );
  const table = new Table({ ratio: vectorFromArray(ratio), id: vectorFromArray(ids), plan });
  return { arrowRecordBatch: { serializedRecordBatch: tableToIPC(table, 'stream') } };
}

type Script = readonly (number | Error)[];

/** One script per stream for each attempt: the first ids of messages, and an error for where it ends in one. */
function connectionTo(...attempts: readonly (readonly Script[])[]): { connection: Connection; cancelled: () => number } {
  let attempt = -1;
  let cancelled = 0;
  const client = {
    async createReadSession() {
      attempt += 1;
      const streams = (attempts[attempt] ?? []).map((_, i) => ({ name: String(i) }));
      return [{ arrowSchema: { serializedSchema: new Uint8Array() }, streams }];
    },
    readRows({ readStream }: { readStream: string }) {
      const stream = new PassThrough({ objectMode: true });
      const script = attempts[attempt]?.[Number(readStream)] ?? [];
      void (async () => {
        for (const step of script) {
          if (step instanceof Error) return void setTimeout(() => stream.destroy(step), 50);
          stream.write(message(step));
        }
        stream.end();
      })();
      return Object.assign(stream, {
        cancel: () => {
          cancelled += 1;
          stream.destroy();
        },
      });
    },
  };
  const connection = {
    storage: { get: async () => client, close: () => undefined },
    home: { project: 'p', dataset: 'd' },
    timeouts: { ...DEFAULT_TIMEOUTS, attempts: 3, pause: 1, silence: 5000 },
    budget: { earn: () => undefined, spend: () => undefined },
    signal: new AbortController().signal,
  } as unknown as Connection;
  return { connection, cancelled: () => cancelled };
}

const unavailable = () => Object.assign(new Error('the connection broke'), { code: 14 });

it('starts over with a batch that says so, and row i of the table belongs to row i of the batches', async () => {
  await using database = await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: await temporaryFolder() });
  const { connection, cancelled } = connectionTo(
    [
      [0, 10_000],
      [20_000, unavailable()],
    ],
    [[20_000], [0, 10_000], []],
  );
  const seen: { begins: boolean; ids: number[]; ratios: number[] }[] = [];
  for await (const batch of feedRows(connection, database, READ, WANTED)) {
    const [ratios, ids] = batch.columns.map(({ values }) => Array.from(values, Number).slice(0, batch.rows));
    seen.push({ begins: batch.begins, ids: ids ?? [], ratios: ratios ?? [] });
    batch.keep([0, batch.rows - 1]);
  }
  const begins = seen.flatMap(({ begins }, i) => (begins ? [i] : []));
  // All three messages of the first attempt came before it broke.
  expect(begins).toEqual([0, 6]);
  expect(cancelled()).toBe(5);
  const last = seen.slice(begins.at(-1));
  expect(last.map(({ ids }) => ids.length)).toEqual([2048, 952, 2048, 952, 2048, 952]);
  const ids = last.flatMap((batch) => batch.ids);
  expect(last.flatMap(({ ratios }) => ratios)).toEqual(ids.map((id) => id / 7));
  expect((await database.rows('SELECT id FROM chunk')).map(([id]) => Number(id))).toEqual(ids);
  expect((await database.rows('DESCRIBE chunk')).map(([name]) => name)).toEqual(['id']);
  const kept = await database.rows('SELECT row_number, value_0, value_1 FROM rejected_rows ORDER BY row_number');
  const places = [0, 2047, 2048, 2999, 3000, 5047, 5048, 5999, 6000, 8047, 8048, 8999];
  expect(kept.map((row) => row.map(Number))).toEqual(places.map((row) => [row, (ids[row] ?? 0) / 7, ids[row]]));
});

/** A chunk of three messages, as a worker scores it. */
async function scoreThree(connection: Connection): Promise<unknown> {
  const folder = await temporaryFolder();
  await using database = await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: folder });
  const source: Pick<FeedingSource, 'feedChunk'> = {
    feedChunk: (_frozen, _chunk, worker, columns) => feedRows(connection, worker, READ, columns),
  };
  const feature = { nullable: true, unknown: 'default' } as const;
  const setup = {
    frozen: { id: 'frozen' },
    done: new SharedArrayBuffer(8),
    signature: {
      inputs: [
        { name: 'numbers', dtype: 'float64', features: [{ ...feature, name: 'ratio', range: [0, 1500] }] },
        { name: 'texts', dtype: 'string', features: [{ ...feature, name: 'plan', default: 'pro', categories: ['pro'] }] },
      ],
      output: { name: 'p', index: 0 },
    },
    scorer: { model: 'm', provider: 'cpu' },
    key: [ID],
    keep: [],
    features: [RATIO, { name: 'plan', type: 'string', native: 'STRING' }],
    batchRows: 2500,
    stagesText: true,
    scoredAt: '2026-11-26T00:00:00Z',
    folder,
    memory: 1e9,
  } as unknown as WorkerSetup;
  const session = {
    provider: 'cpu',
    run: async ([numbers]: readonly InputTensor[]) => ({
      values: Float64Array.from(numbers?.values as Float64Array, (ratio) => ratio / 5000),
      width: 1,
    }),
  } as unknown as BatchedSession;
  const task = { chunk: 0, rows: 3 * ROWS };
  const scored = await scoreChunk(task, {
    setup,
    source: source as unknown as Source,
    session,
    database,
    stopped: () => false,
  });
  return await database.rows(
    `SELECT count(*), count(*) FILTER (score = round(key_0 / 7 / 5000, 6)), count(*) FILTER (value = (key_0 / 7)::VARCHAR),
       any_value(facts)::JSON ->> '$.texts.plan' FROM read_parquet('${scored?.file}')`,
  );
}

it('scores a chunk anew whose read broke: no row and no text of the first attempt counts', async () => {
  const { connection } = connectionTo(
    [
      [0, 10_000],
      [5000, unavailable()],
    ],
    [[5000], [0, 10_000]],
  );
  const rejected = ROWS - 501;
  expect(await scoreThree(connection)).toEqual([[9000n, BigInt(9000 - rejected), BigInt(rejected), '[9000,8100]']]);
});

it('stops reading when the consumer of the batches stops', async () => {
  await using database = await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: await temporaryFolder() });
  const { connection, cancelled } = connectionTo([[0], [10_000]]);
  const taken: FedBatch[] = [];
  for await (const batch of feedRows(connection, database, READ, WANTED)) {
    taken.push(batch);
    break;
  }
  expect(taken).toHaveLength(1);
  expect(cancelled()).toBe(2);
});

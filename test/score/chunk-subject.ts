import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { featuresOf } from '../../src/domain/signature.ts';
import { SKIP_KEY, stagedKey } from '../../src/domain/staged-columns.ts';
import { openDatabase } from '../../src/duckdb/database.ts';
import { parquetScan } from '../../src/duckdb/sql.ts';
import { loadBundle } from '../../src/model/bundle.ts';
import { inBatches } from '../../src/runtime/batches.ts';
import { openChosenModel } from '../../src/score/chosen-model.ts';
import { scoreChunk } from '../../src/score/chunk.ts';
import type { SliceSetup, WorkerSetup } from '../../src/score/messages.ts';
import { DUCKDB } from '../../src/warehouse/duckdb/dialect.ts';
import { openDuckdb } from '../../src/warehouse/duckdb/open.ts';
import { keyHash } from '../../src/warehouse/sql/dialect.ts';
import { statements, temporaryFolder } from '../support/project.ts';
import { freeze, named, plain } from '../warehouse/conformance/frozen.ts';

/** What became of a chunk. */
interface ScoredChunk {
  /** Rows of the scored file in an order of their own, without what differs from attempt to attempt. */
  readonly rows: readonly unknown[];
  /** The skip key of each row, in the same order; undefined if the file has no such column. */
  readonly skipKeys: readonly unknown[] | undefined;
  readonly unchanged: number | undefined;
  /** Rows that the model was given. */
  readonly sent: number;
  readonly file: string;
}

export interface ChunkSubject {
  score(options: { readonly batchRows: number; readonly slice: SliceSetup | undefined }): Promise<ScoredChunk>;
  /**
   * Writes earlier scores, taken from a scored file.
   *
   * @param where condition over the columns of the scored file
   * @param values expressions for other values than the file's
   */
  earlier(from: ScoredChunk, where: string, values?: { readonly score?: string; readonly skipKey?: string }): Promise<string>;
}

/** The real worker's parts over one frozen chunk of a query with the keys `user_id` and `since`. @param bundle folder */
export async function openChunk(bundle: string, select: string): Promise<ChunkSubject> {
  const folder = await temporaryFolder();
  const { file: modelFile, digest, signature } = await loadBundle(bundle);
  await statements(path.join(folder, 'warehouse.duckdb'), [`CREATE TABLE users AS ${select}`]);
  const warehouse = openDuckdb({
    ...{ url: 'duckdb:warehouse.duckdb', job: 'job', root: folder, scratch: 'scratch', memory: 1e9, maxBytes: undefined },
    ...{ environment: {}, warn: () => undefined, signal: new AbortController().signal },
  });
  const session = await openChosenModel({ model: { file: modelFile, digest }, provider: 'cpu', requireGpu: false });
  const database = await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: folder });
  onTestFinished(async () => {
    await session.close();
    await database[Symbol.asyncDispose]();
    await warehouse.close();
  });
  const query = plain('SELECT * FROM users');
  const frozen = await freeze(warehouse, 'run', query, { key: ['user_id', 'since'], chunkRows: 1e6 });
  const [chunk = { chunk: 0, rows: 0 }] = frozen.chunks;
  const key = named(frozen.columns, ['user_id', 'since']);
  const names = featuresOf(signature).map(({ feature }) => feature.name);
  const setup = {
    ...{ frozen, signature, key, keep: named(frozen.columns, ['kept']), features: named(frozen.columns, names), folder },
    done: new SharedArrayBuffer(8),
    scorer: { score_batch: '1', onnxruntime: '1', provider: 'cpu', processor: 'x64' },
    ...{ hashValues: false, hashKey: undefined, stagesText: false, scoredAt: '2026-11-26T00:00:00Z', memory: 1e9 },
  };
  const cells = 'key_0, key_1::VARCHAR, keep_0, score::VARCHAR, reason, column_name, value';
  return {
    async score({ batchRows, slice }) {
      let sent = 0;
      const batched = inBatches(session, batchRows);
      const counting: typeof batched = {
        ...batched,
        run: (inputs, output) => {
          sent += inputs[0]?.shape[0] ?? 0;
          return batched.run(inputs, output);
        },
      };
      const scored = await scoreChunk(chunk, {
        setup: { ...setup, batchRows, slice } as unknown as WorkerSetup,
        ...{ source: warehouse.source, session: counting, database, stopped: () => false },
      });
      const file = scored?.file ?? '';
      const described = await database.rows(`DESCRIBE SELECT * FROM ${parquetScan([file])}`);
      const skips = described.some(([name, type]) => name === SKIP_KEY && type === 'BIGINT');
      const rows = await database.rows(
        `SELECT ${cells}, ${skips ? SKIP_KEY : 'NULL'} FROM ${parquetScan([file])} ORDER BY ALL`,
      );
      const [facts] = await database.rows(`SELECT any_value(facts) FROM ${parquetScan([file])}`);
      return {
        rows: rows.map((row) => row.slice(0, -1)),
        skipKeys: skips ? rows.map((row) => row.at(-1)) : undefined,
        unchanged: (JSON.parse(String(facts?.[0])) as { unchanged?: number }).unchanged,
        ...{ sent, file },
      };
    },
    async earlier({ file }, where, { score = 'score', skipKey = SKIP_KEY } = {}) {
      const earlier = path.join(folder, `earlier-${randomBytes(4).toString('hex')}.parquet`);
      const hash = keyHash(
        DUCKDB,
        key.map((column, i) => ({ ...column, name: stagedKey(i) })),
      );
      await database.run(
        `COPY (SELECT ${hash} AS key_hash, ${skipKey} AS ${SKIP_KEY}, CAST(${score} AS DECIMAL(7, 6)) AS score
         FROM ${parquetScan([file])} WHERE score IS NOT NULL AND ${where}) TO '${earlier}' (FORMAT parquet)`,
      );
      return earlier;
    },
  };
}

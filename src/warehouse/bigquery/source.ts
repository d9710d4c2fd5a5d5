import type { FrozenTable } from '../../domain/frozen-table.ts';
import type { Query } from '../../domain/query.ts';
import type { Database } from '../../duckdb/database.ts';
import { ScoreBatchError } from '../../errors.ts';
import { refuseOtherRows } from '../altered-frozen.ts';
import { notOneBoolean } from '../errors.ts';
import type { ChunkColumns, FedBatch, FeedingSource } from '../feeding.ts';
import type { EstimatingSource, MeasuringSource } from '../source-capabilities.ts';
import { inChunk, largestTexts, selectLargest } from '../sql/frozen.ts';
import { asSubquery } from '../sql/subquery.ts';
import type { Source } from '../warehouse.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { eraseFrozen } from './erase-frozen.ts';
import { queryError, translated, translatedEach } from './errors.ts';
import { failureOf } from './failure.ts';
import { feedRows } from './feed.ts';
import { dropFrozen, freeze, readFrozen, verifyFrozen } from './freeze.ts';
import { probeSource } from './probe.ts';
import { dryRun, renderQuery, rows } from './query.ts';
import { dropArtifact, listArtifacts, scratchName, scratchTable } from './scratch.ts';
import type { Job } from './shapes.ts';
import { type Field, toSchema } from './types.ts';

export function bigquerySource(connection: Connection): Source & EstimatingSource & FeedingSource & MeasuringSource {
  const queried = <T>(query: Query, work: () => Promise<T>): Promise<T> =>
    translated(connection, async () => {
      try {
        return await work();
      } catch (error) {
        connection.signal.throwIfAborted();
        throw queryError(error, query.name);
      }
    });
  const planned = (query: Query): Promise<Job> =>
    queried(query, () => dryRun(connection, renderQuery(query), { parameters: query.parameters }));
  return {
    dialect: BIGQUERY,
    // Project names are globally unique in Google Cloud.
    identity: async () => `bigquery ${connection.home.project}.${connection.home.dataset}`,
    async describe(query) {
      const job = await planned(query);
      return toSchema((job.statistics?.query?.schema?.fields ?? []) as readonly Field[]);
    },
    async estimate(query) {
      return Number((await planned(query)).statistics?.query?.totalBytesProcessed ?? 0);
    },
    async ready(query) {
      const [column, ...more] = await this.describe(query);
      // Not as a subquery: an unnamed column cannot be selected from outside.
      const found =
        column?.type === 'bool' && more.length === 0
          ? await queried(query, () =>
              rows(connection, renderQuery(query), { parameters: query.parameters, maxBytes: connection.maxBytes }),
            )
          : [];
      if (found.length !== 1) throw notOneBoolean(query.name);
      return found[0]?.[0] === 'true';
    },
    select: (query, statement) =>
      queried(query, () =>
        rows(connection, statement(BIGQUERY, asSubquery(renderQuery(query))), {
          parameters: query.parameters,
          maxBytes: connection.maxBytes,
        }),
      ),
    selectFrozen: ({ runId }, statement) =>
      translated(
        connection,
        () => rows(connection, statement(BIGQUERY, scratchName(connection, 'frozen', runId)), { runId }),
        'reading frozen rows',
      ),
    showFrozen: async ({ runId }, _query, statement) => statement(BIGQUERY, scratchName(connection, 'frozen', runId)),
    largest: (_, texts, runId) =>
      translated(
        connection,
        async () => {
          const frozen = scratchName(connection, 'frozen', runId);
          const [row] = await rows(connection, selectLargest(BIGQUERY, frozen, texts, 'BYTE_LENGTH'), { runId });
          return largestTexts(texts, row);
        },
        'finding the largest text',
      ),
    freeze: (query, options) =>
      translated(connection, () => freeze(connection, query, options), 'freezing the rows of the window'),
    frozen: (runId) => translated(connection, () => readFrozen(connection, runId), 'reading the frozen table'),
    verify: (frozen, key) =>
      translated(connection, () => verifyFrozen(connection, frozen, key), 'counting the frozen table again'),
    async loadChunk(frozen, chunk, database) {
      const columns = { passed: frozen.columns, features: [], kinds: [] };
      for await (const _ of this.feedChunk(frozen, chunk, database, columns));
    },
    feedChunk: (frozen, chunk, database, columns) =>
      translatedEach(connection, feedChunk(connection, frozen, chunk, database, columns), 'reading a frozen chunk'),
    eraseFrozen: (frozen, person) =>
      translated(connection, () => eraseFrozen(connection, frozen, person), 'erasing frozen rows'),
    dropFrozen: (runId) => translated(connection, () => dropFrozen(connection, runId), 'dropping the frozen table'),
    listArtifacts: () => translated(connection, () => listArtifacts(connection, ['manifest', 'frozen', 'probe'])),
    drop: (artifact) => translated(connection, () => dropArtifact(connection, artifact)),
    probe: () => translated(connection, () => probeSource(connection), 'checking the permissions of the credentials'),
  };
}

async function* feedChunk(
  connection: Connection,
  frozen: FrozenTable,
  chunk: number,
  database: Database,
  columns: ChunkColumns,
): AsyncGenerator<FedBatch> {
  const table = scratchTable(connection, 'frozen', frozen.runId);
  try {
    yield* feedRows(connection, database, { table, restriction: inChunk(frozen, chunk), into: 'chunk' }, columns);
  } catch (error) {
    if (!failureOf(error).reasons.includes('notFound')) throw error;
    throw new ScoreBatchError('conflict', `the frozen table ${table.table} of this run is gone`, {
      hint: 'it was dropped or has expired; run the same command again with --fresh',
      cause: error,
    });
  }
  const [row] = await database.rows('SELECT count(*) FROM chunk');
  refuseOtherRows(frozen, chunk, Number(row?.[0]), Object.values(table).join('.'));
}

import type { Query } from '../../domain/query.ts';
import { refuseOtherRows } from '../altered-frozen.ts';
import { notOneBoolean } from '../errors.ts';
import type { MeasuringSource } from '../source-capabilities.ts';
import { inChunk, largestTexts, selectLargest } from '../sql/frozen.ts';
import { asSubquery } from '../sql/subquery.ts';
import type { Source } from '../warehouse.ts';
import { SNOWFLAKE } from './dialect.ts';
import { eraseFrozen } from './erase-frozen.ts';
import { queryError } from './errors.ts';
import { describe, freeze, frozenTableName, readFrozen, verifyFrozen } from './freeze.ts';
import { probeSource } from './probe.ts';
import { renderQuery } from './query.ts';
import { dropArtifact, dropRun, listArtifacts } from './scratch.ts';
import { queryTag } from './session.ts';
import { run, type Snowflake, translated } from './snowflake.ts';
import { carried, readInto } from './transfer.ts';
import { readUnloaded } from './unload.ts';

export function snowflakeSource(snowflake: Snowflake): Source & MeasuringSource {
  const { client, target, job } = snowflake;
  return {
    dialect: SNOWFLAKE,
    // Account names are globally unique.
    identity: async () => `snowflake ${[target.account.toLowerCase(), target.database, target.schema].join('.')}`,
    describe: (query) => describe(snowflake, query),
    ready: (query) => ready(snowflake, query),
    select: async (query, statement) => {
      const { sql, binds } = renderQuery(query);
      try {
        return await client.use((session) =>
          session.rows(statement(SNOWFLAKE, asSubquery(sql)), { binds, tag: queryTag(job) }),
        );
      } catch (error) {
        throw queryError(error, query.name, target);
      }
    },
    selectFrozen: ({ runId }, statement) =>
      translated(
        snowflake,
        () => run(snowflake, statement(SNOWFLAKE, frozenTableName(snowflake, runId)), runId),
        'reading frozen rows',
      ),
    showFrozen: async ({ runId }, _query, statement) => statement(SNOWFLAKE, frozenTableName(snowflake, runId)),
    largest: (_, texts, runId) =>
      translated(
        snowflake,
        async () => {
          const sql = selectLargest(SNOWFLAKE, frozenTableName(snowflake, runId), texts, 'OCTET_LENGTH');
          const [row] = await run(snowflake, sql, runId);
          return largestTexts(texts, row);
        },
        'finding the largest text',
      ),
    freeze: (query, options) =>
      translated(snowflake, () => freeze(snowflake, query, options), 'freezing the rows of the window'),
    frozen: (runId) => translated(snowflake, () => readFrozen(snowflake, runId), 'reading the frozen table'),
    verify: (frozen, key) =>
      translated(snowflake, () => verifyFrozen(snowflake, frozen, key), 'counting the frozen table again'),
    loadChunk: (frozen, chunk, database) =>
      translated(
        snowflake,
        async () => {
          const table = frozenTableName(snowflake, frozen.runId);
          const expected = frozen.chunks.find((other) => other.chunk === chunk)?.rows ?? 0;
          const readRows = () => {
            const from = `${table} WHERE ${inChunk(frozen, chunk)}`;
            const tag = queryTag(job, frozen.runId);
            return client.use((session) =>
              readInto(database, { relation: 'chunk', columns: frozen.columns.map(carried) }, session, { from, tag }),
            );
          };
          const read = snowflake.unload
            ? await readUnloaded(snowflake, { frozen, table, chunk, rows: expected }, database, 'chunk')
            : await readRows();
          refuseOtherRows(frozen, chunk, read, table);
        },
        'reading a frozen chunk',
      ),
    eraseFrozen: (frozen, person) => translated(snowflake, () => eraseFrozen(snowflake, frozen, person), 'erasing frozen rows'),
    dropFrozen: (runId) =>
      translated(snowflake, () => dropRun(snowflake, runId, ['frozen', 'manifest', 'unloaded']), 'dropping the frozen table'),
    listArtifacts: () => translated(snowflake, () => listArtifacts(snowflake, ['frozen', 'manifest', 'unloaded', 'probe'])),
    drop: (artifact) => translated(snowflake, () => dropArtifact(snowflake, artifact)),
    probe: () => translated(snowflake, () => probeSource(snowflake), 'checking the permissions of the role'),
  };
}

async function ready({ client, target, job }: Snowflake, query: Query): Promise<boolean> {
  const { sql, binds } = renderQuery(query);
  try {
    const [row, ...more] = await client.use((session) =>
      session.rows(`SELECT * FROM ${asSubquery(sql)}`, { binds, tag: queryTag(job) }),
    );
    const value = row?.[0];
    if (row?.length === 1 && more.length === 0 && (value === null || value === 'true' || value === 'false')) {
      return value === 'true';
    }
  } catch (error) {
    throw queryError(error, query.name, target);
  }
  throw notOneBoolean(query.name);
}

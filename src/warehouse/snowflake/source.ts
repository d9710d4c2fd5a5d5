import { counted, grouped } from '../../domain/counted.ts';
import type { Query } from '../../domain/query.ts';
import { ScoreBatchError } from '../../errors.ts';
import { inChunk } from '../sql/frozen.ts';
import { asSubquery } from '../sql/subquery.ts';
import type { Source } from '../warehouse.ts';
import { queryError } from './errors.ts';
import { describe, freeze, frozenTableName, readFrozen } from './freeze.ts';
import { probeSource } from './probe.ts';
import { renderQuery } from './query.ts';
import { dropLeft, dropRun, listLeft } from './scratch.ts';
import { queryTag } from './session.ts';
import { type Snowflake, translated } from './snowflake.ts';
import { carried, readInto } from './transfer.ts';

export function snowflakeSource(snowflake: Snowflake): Source {
  const { client, target, job } = snowflake;
  return {
    describe: (query) => describe(snowflake, query),
    ready: (query) => ready(snowflake, query),
    freeze: (query, options) => translated(snowflake, () => freeze(snowflake, query, options)),
    frozen: (runId) => translated(snowflake, () => readFrozen(snowflake, runId)),
    loadChunk: (frozen, chunk, database) =>
      translated(snowflake, async () => {
        const from = `${frozenTableName(snowflake, frozen.runId)} WHERE ${inChunk(frozen, chunk)}`;
        const tag = queryTag(job, frozen.runId);
        const read = await client.use((session) =>
          readInto(database, 'chunk', frozen.columns.map(carried), session, from, { tag }),
        );
        const expected = frozen.chunks.find((other) => other.chunk === chunk)?.rows ?? 0;
        if (read === expected) return;
        throw new ScoreBatchError(
          'conflict',
          `chunk ${chunk} has ${counted(read, 'row')} and was frozen with ${grouped(expected)}`,
          {
            hint: `somebody wrote to the frozen table in ${target.account}; start again with --fresh`,
          },
        );
      }),
    thaw: (runId) => translated(snowflake, () => dropRun(snowflake, runId, ['frozen', 'manifest'])),
    left: () => translated(snowflake, () => listLeft(snowflake, ['frozen', 'manifest', 'probe'])),
    drop: (left) => translated(snowflake, () => dropLeft(snowflake, left)),
    probe: () => translated(snowflake, () => probeSource(snowflake)),
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
  throw new ScoreBatchError('configuration', `${query.name} does not return one boolean`, {
    hint: 'write a query such as: select max(date) >= :window_end_date from orders',
  });
}

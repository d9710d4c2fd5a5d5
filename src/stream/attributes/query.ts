import type { Query } from '../../domain/query.ts';
import { ScoreBatchError } from '../../errors.ts';
import { openWarehouse } from '../../warehouse/open.ts';
import type { Warehouse } from '../../warehouse/warehouse.ts';
import { withoutValues } from '../../without-values.ts';
import type { Attributes } from '../attributes.ts';
import type { AttributeOptions } from './options.ts';
import { passed } from './pause.ts';
import { type QueryColumns, type QuerySettings, queryColumns } from './query-columns.ts';
import { ROWS_AT_ONCE, readRows } from './query-rows.ts';
import type { AttributeTable } from './table.ts';

/** Rows stay in use through this many failed refreshes. */
const AGE_IN_REFRESHES = 12;
/** Node fires longer timers at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** For DuckDB, which runs the query inside this process. */
const MEMORY_BYTES = 256 * 2 ** 20;

/** Rows of a query that is run again at intervals; the old rows stay in use until all new ones are loaded. */
export async function openQuery(settings: QuerySettings, options: AttributeOptions): Promise<Attributes> {
  const { refreshMs, maxAgeMs = AGE_IN_REFRESHES * refreshMs } = settings;
  const { job, root, environment, warn } = options;
  const closing = new AbortController();
  const signal = AbortSignal.any([closing.signal, options.signal]);
  const access = {
    url: settings.warehouse,
    job,
    root,
    scratch: 'score_batch_scratch',
    memory: MEMORY_BYTES,
    maxBytes: undefined,
  };
  const warehouse = await openWarehouse({ ...access, environment, signal, warn });
  const query = { name: 'attributes.query', texts: [settings.query], parameters: [] };
  let state: Loaded;
  try {
    state = await load(warehouse, query, settings, { ...options, signal });
  } catch (error) {
    await warehouse.close();
    throw error;
  }
  const { columns } = state.table;
  let lastError: unknown;

  async function refresh(): Promise<void> {
    while (await passed(refreshMs, signal)) {
      try {
        // Keep the types of the first load: the model was checked against them.
        const next = await load(warehouse, query, settings, {
          ...options,
          signal,
          need: columns.map(({ name }) => name),
        });
        refuseOtherTypes(state.table, next.table);
        state = next;
        lastError = undefined;
        options.onRefresh?.();
      } catch (error) {
        if (signal.aborted) return;
        lastError = error;
        warn(
          `the attributes could not be refreshed, so those of ${new Date(state.at).toISOString()} stay in use: ${messageOf(error)}`,
        );
      }
    }
  }

  /** A refresh may hang, too. */
  async function expire(): Promise<void> {
    for (;;) {
      const left = state.at + maxAgeMs - Date.now();
      if (left < 0) throw tooOld(maxAgeMs - left, maxAgeMs, lastError);
      if (!(await passed(Math.min(left + 1, LONGEST_TIMER_MS), signal))) return;
    }
  }

  const working = [refresh(), expire()];
  void Promise.all(working).catch((error: unknown) => {
    closing.abort();
    options.onFailure(error);
  });
  return {
    columns,
    find: (key) => state.table.find(key),
    get rows() {
      return state.table.rows;
    },
    get bytes() {
      return state.table.bytes;
    },
    get loadedAt() {
      return state.at;
    },
    async close() {
      closing.abort();
      await Promise.allSettled(working);
      await warehouse.close();
    },
  };
}

interface Loaded {
  readonly table: AttributeTable<string>;
  /** Epoch milliseconds at which reading began. */
  readonly at: number;
}

async function load(
  { source, files }: Warehouse,
  query: Query,
  settings: QuerySettings,
  { need, limits, signal, warn }: Pick<AttributeOptions, 'need' | 'limits' | 'signal' | 'warn'>,
): Promise<Loaded> {
  const at = Date.now();
  const columns: QueryColumns = queryColumns(await source.describe(query), settings, need);
  const rowsAtOnce = files === undefined ? ROWS_AT_ONCE.remote : ROWS_AT_ONCE.local;
  return { table: await readRows(source, query, columns, { limits, signal, warn, now: at, rowsAtOnce }), at };
}

function refuseOtherTypes(before: AttributeTable<string>, after: AttributeTable<string>): void {
  const other = after.columns.find(({ type }, at) => type !== before.columns[at]?.type);
  if (other === undefined) return;
  throw new ScoreBatchError('refused', `the column ${other.name} of attributes.query has changed to the type ${other.type}`, {
    hint: 'restart the stream, so that the model is checked against the new type',
  });
}

function tooOld(age: number, maxAge: number, cause: unknown): ScoreBatchError {
  const seconds = (milliseconds: number) => `${Math.round(milliseconds / 1000)} s`;
  const why = cause === undefined ? 'a refresh takes too long' : messageOf(cause);
  return new ScoreBatchError(
    'unavailable',
    `the attributes are ${seconds(age)} old, more than attributes.max_age (${seconds(maxAge)}): ${why}`,
    { hint: 'find out why the query fails or is slow, then restart the stream: no event is lost in the meantime', cause },
  );
}

function messageOf(error: unknown): string {
  // Errors of warehouses already contain no values.
  return error instanceof ScoreBatchError ? error.message : withoutValues(String(error));
}

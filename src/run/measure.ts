import type { Context } from '../context.ts';
import type { Execution } from '../domain/execution.ts';
import { findColumn } from '../domain/schema.ts';
import type { StageSeconds } from '../domain/stages.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { bindWindow } from '../job/parameters.ts';
import { bundleFolderOf } from '../plan/job-bundle.ts';
import { locatedJob } from '../plan/located-job.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import type { SelectText } from '../warehouse/reader.ts';
import { keyHash } from '../warehouse/sql/dialect.ts';
import { asSubquery } from '../warehouse/sql/subquery.ts';
import { scoreAside } from './score-aside.ts';

/** Slices of a window by key hash, in percent of its rows. */
export const SLICE_PERCENTS = [10, 30, 100] as const;

/** The cost of scoring a slice without publishing it. */
interface MeasuredSlice {
  readonly rows: number;
  /** `publish` and later stages are 0. */
  readonly seconds: StageSeconds;
  readonly bytes: number | undefined;
}

export interface Measured {
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  readonly execution: Execution;
  readonly workers: number;
  readonly freezes: boolean;
  /** Smallest first; the last one is the whole window. */
  readonly slices: readonly MeasuredSlice[];
}

/**
 * Scores three slices of a window as a run would, and discards the scores. Reads the source four times, because it counts the
 * rows first.
 *
 * @throws ScoreBatchError `refused` if the slices would not have three different row counts
 */
export async function measureSlices(
  { job: named, window }: { readonly job: Job; readonly window: Window },
  context: Context,
): Promise<Measured> {
  const job = await locatedJob(named, context);
  const model = bundleFolderOf(job);
  const slices: MeasuredSlice[] = [];
  let setting: Omit<Measured, 'slices'> | undefined;
  const console = warningOnce(context.console);
  for (const { percent, query } of await slicesOf(job, window, { ...context, console })) {
    console.info(`measuring ${percent} % of the rows of ${window.label}`);
    const spec = { job: { ...job, query }, window, model };
    setting = await withOwnConnections({ ...context, console }, async (own) =>
      scoreAside(spec, own, async ({ plan, rows, seconds, workers }) => {
        slices.push({ rows: rows.frozen, seconds, bytes: plan.estimatedBytes });
        const { definition, digest } = plan.bundle;
        if (plan.execution === undefined) throw new Error('the plan has no provider to score with');
        return {
          model: { name: definition.name, version: definition.version, digest },
          ...{ execution: plan.execution, workers, freezes: plan.tap === undefined },
        };
      }),
    );
  }
  if (setting === undefined) throw new Error('there are no slices');
  return { ...setting, slices };
}

/** Closes what the work opened as soon as the work ends, not at the end of the command. Its clock starts now. */
async function withOwnConnections<T>(context: Context, work: (own: Context) => Promise<T>): Promise<T> {
  const closing: (() => Promise<void>)[] = [];
  try {
    // Use a separate signal, so that its listeners are garbage with it.
    const signal = AbortSignal.any([context.signal]);
    return await work({ ...context, signal, began: performance.now(), atEnd: (close) => void closing.push(close) });
  } finally {
    // After a signal, the process does not wait for connections to close.
    if (context.signal.aborted) for (const close of closing) context.atEnd(close);
    else await Promise.allSettled(closing.map((close) => close()));
  }
}

/** Each slice opens the same warehouses, so show each warning once. */
function warningOnce(console: Context['console']): Context['console'] {
  const said = new Set<string>();
  return {
    info: (message) => console.info(message),
    debug: (message) => console.debug(message),
    warn(message) {
      if (!said.has(message)) console.warn(message);
      said.add(message);
    },
    error: (text, fields) => console.error(text, fields),
    live: console.live,
  };
}

interface Slice {
  readonly percent: number;
  /** The query that selects its rows. */
  readonly query: string;
}

async function slicesOf(job: Job, window: Window, context: Context): Promise<readonly Slice[]> {
  const { source } = await openWarehouses(job, context);
  const bound = bindWindow(job.query, window, job.queryName, job.kind);
  const schema = await source.describe(bound);
  const key = job.definition.source.key.flatMap((name) => findColumn(schema, name) ?? []);
  const queries: string[] = [];
  const count: SelectText = (dialect, relation) => {
    const inside = SLICE_PERCENTS.map((percent) =>
      percent === 100 ? undefined : `MOD(${keyHash(dialect, key)}, 100) < ${percent}`,
    );
    queries.push(
      ...inside.map((rows) =>
        rows === undefined ? job.query : `SELECT * FROM ${asSubquery(job.query)} window_rows WHERE ${rows}`,
      ),
    );
    const text = dialect.type({ type: 'string' });
    const counts = inside.map((rows) => (rows === undefined ? 'COUNT(*)' : `COUNT(CASE WHEN ${rows} THEN 1 END)`));
    return `SELECT ${counts.map((one, i) => `CAST(${one} AS ${text}) AS rows_${i}`).join(', ')} FROM ${relation} window_rows`;
  };
  const [counts = []] = await source.select(bound, count);
  const rows = counts.map(Number);
  if (new Set(rows.filter((one) => one > 0)).size < SLICE_PERCENTS.length) {
    throw new ScoreBatchError(
      'refused',
      `the rows of ${window.label} are too few to measure slices: there are ${rows.at(-1)}`,
      {
        hint: 'choose a window with more rows, e.g. --week 2026-W47',
      },
    );
  }
  return SLICE_PERCENTS.map((percent, i) => ({ percent, query: queries[i] ?? job.query }));
}

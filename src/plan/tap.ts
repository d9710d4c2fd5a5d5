import type { Query } from '../domain/query.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import type { Served } from '../model/serve.ts';
import { batchRows } from '../sizing/batch-rows.ts';
import { readMachine } from '../sizing/machine.ts';
import { fitTapToMemory, machineBound, type TapMemoryPlan } from '../sizing/memory-plan.ts';
import type { Sizing } from '../sizing/run-sizing.ts';
import { type TapColumn, tapColumns } from '../tap/columns.ts';
import { slotBytes } from '../tap/ring.ts';
import { tapParameters } from '../tap/statement.ts';
import { isEmbedded, takesTaps } from '../warehouse/tapping.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { ChosenColumns } from './columns.ts';

/** Scoring that takes longer freezes its rows first: others cannot write the file meanwhile. */
const MAX_SECONDS = 60;

/** How rows are scored on their way out of the query. */
export interface TapPlan extends TapMemoryPlan {
  readonly columns: readonly TapColumn[];
  /** Bytes of memory that it was fitted to. */
  readonly bound: number;
  /** Of the model, and of nothing else: where batches are cut moves the last bits of a sum. */
  readonly batchRows: number;
  /** Seconds that scoring is guessed to take. */
  readonly seconds: number;
  /** Seconds that one session takes for a row. */
  readonly rowSeconds: number;
}

export interface TapQuestion {
  readonly definition: JobDefinition;
  readonly bundle: Bundle;
  readonly query: Query;
  readonly columns: ChosenColumns;
  readonly source: Warehouse;
  readonly sink: Warehouse;
  readonly sizing: Sizing;
  readonly served: Served | undefined;
  /** Whether this process does the whole run; phases and shards need a frozen table. */
  readonly alone: boolean;
}

/**
 * Scoring workers to start while the plan is made, since to load their code takes as long.
 *
 * @param requestedWorkers number of workers of the call @returns undefined where no window of the job is scored on its way
 */
export function threadsToStart(
  { source, sink, score }: JobDefinition,
  requestedWorkers: number | undefined,
): number | undefined {
  const kinds = [source.warehouse, sink.warehouse ?? source.warehouse].map(warehouseKind);
  if (source.freeze === 'always' || !kinds.every((kind) => kind === 'duckdb')) return undefined;
  const { cores } = readMachine();
  return Math.min(cores, requestedWorkers ?? (score.workers === 'auto' ? cores : score.workers));
}

/**
 * Decides whether the rows of a window are frozen before they are scored, see `source.freeze`.
 *
 * @returns undefined where they are
 * @throws ScoreBatchError `configuration` where they must not be, and have to be
 */
export async function planTap(question: TapQuestion): Promise<TapPlan | undefined> {
  const { definition, query, source, sizing, served, alone } = question;
  const { freeze } = definition.source;
  if (freeze === 'always' || served === undefined || !alone) return undefined;
  const found = whatPrevents(question);
  if (typeof found === 'string') {
    if (freeze === 'auto') return undefined;
    throw new ScoreBatchError('configuration', `source.freeze is never, and ${found}`, {
      hint: 'leave source.freeze out, or set it to auto',
    });
  }
  const { source: embedded } = source;
  const rows = isEmbedded(embedded) ? await embedded.guessRows(query) : 0;
  const seconds = (rows * served.rowSeconds) / Math.min(found.workers, Math.max(1, sizing.cores));
  return freeze === 'auto' && seconds > MAX_SECONDS ? undefined : { ...found, seconds, rowSeconds: served.rowSeconds };
}

/** @returns why rows have to be frozen, or how they are scored without */
function whatPrevents({
  definition,
  bundle,
  columns,
  source,
  sink,
  sizing,
}: TapQuestion): string | Omit<TapPlan, 'seconds' | 'rowSeconds'> {
  if (!isEmbedded(source.source) || !takesTaps(sink.sink)) return 'source and sink are not both DuckDB files';
  const tapped = tapColumns(bundle.signature, columns.features);
  if (tapped === undefined) return 'the model has a text feature that takes any value (unknown: allow)';
  const rows = batchRows(definition.score.batch_rows, bundle.signature, bundle.width);
  const types = tapParameters(tapped, true);
  const bound = sizing.bound.from === 'machine' ? machineBound(sizing.memory) : sizing.bound;
  const memoryPlan = fitTapToMemory(bound, {
    ...sizing.load,
    batchRows: rows,
    slotBytes: slotBytes({ types, batchRows: rows }),
  });
  if (memoryPlan === undefined) return 'there is too little memory to score rows on their way out of the query';
  return { ...memoryPlan, columns: tapped, bound: bound.bytes, batchRows: rows };
}

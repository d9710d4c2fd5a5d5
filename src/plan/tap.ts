import type { Query } from '../domain/query.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import type { TriedBundle } from '../model/try-bundle.ts';
import { batchRows } from '../sizing/batch-rows.ts';
import { readMachine } from '../sizing/machine.ts';
import { fitTapToMemory, machineBound, type TapMemoryPlan } from '../sizing/memory-plan.ts';
import type { Sizing } from '../sizing/run-sizing.ts';
import { type TapColumn, tapColumns } from '../tap/columns.ts';
import { slotBytes } from '../tap/ring.ts';
import { tapParameters } from '../tap/statement.ts';
import { isEmbedded, takesTaps } from '../warehouse/tapping.ts';
import type { Sink, Source } from '../warehouse/warehouse.ts';
import type { ChosenColumns } from './columns.ts';

/** If scoring would take longer, rows are frozen first: during a scan no other process can write to the file. */
const MAX_SECONDS = 60;

/** How rows are scored as the query returns them. */
export interface TapPlan extends TapMemoryPlan {
  readonly columns: readonly TapColumn[];
  /** Memory limit that the plan fits into, bytes. */
  readonly bound: number;
  /** Depends on the model alone, because the batch size changes the last bits of a sum. */
  readonly batchRows: number;
  /** Estimated seconds of scoring. */
  readonly seconds: number;
  /** Seconds per row in one session. */
  readonly rowSeconds: number;
}

export interface TapInput {
  readonly definition: JobDefinition;
  readonly bundle: Bundle;
  readonly query: Query;
  readonly columns: ChosenColumns;
  readonly source: Source;
  readonly sink: Sink;
  readonly sizing: Sizing;
  readonly served: TriedBundle | undefined;
  /** Whether this process does the whole run; phases and shards need a frozen table. */
  readonly alone: boolean;
}

/**
 * Scoring workers to start during planning: loading their code takes about as long.
 *
 * @param requestedWorkers from `--workers` @returns undefined if the job always freezes its rows
 */
export function threadsToStart(
  { source, sink, score, challenger }: JobDefinition,
  requestedWorkers: number | undefined,
): number | undefined {
  const kinds = [source.warehouse, sink.warehouse ?? source.warehouse].map(warehouseKind);
  const freezes =
    source.freeze === 'always' || source.keep_rows !== undefined || challenger !== undefined || score.classes !== undefined;
  if (freezes || !kinds.every((kind) => kind === 'duckdb')) return undefined;
  const { cores } = readMachine();
  return Math.min(cores, requestedWorkers ?? (score.workers === 'auto' ? cores : score.workers));
}

/**
 * Decides whether rows are scored as the query returns them or frozen first, see `source.freeze`.
 *
 * @returns undefined if they are frozen first
 * @throws ScoreBatchError `configuration` if `source.freeze` is never but the rows must be frozen
 */
export async function planTap(input: TapInput): Promise<TapPlan | undefined> {
  const { definition, query, source, sizing, served, alone } = input;
  const { freeze, keep_rows: kept } = definition.source;
  // Kept rows, and rows for two models, are read once. A tap produces a single score.
  const { challenger, score } = definition;
  const freezes = freeze === 'always' || kept !== undefined || challenger !== undefined || score.classes !== undefined;
  if (freezes || served === undefined || !alone) return undefined;
  const found = fitTap(input);
  if (typeof found === 'string') {
    if (freeze === 'auto') return undefined;
    throw new ScoreBatchError('configuration', `source.freeze is never, but ${found}`, {
      hint: 'remove source.freeze, or set it to auto',
    });
  }
  const rows = isEmbedded(source) ? await source.guessRows(query) : 0;
  const seconds = (rows * served.rowSeconds) / Math.min(found.workers, Math.max(1, sizing.cores));
  return freeze === 'auto' && seconds > MAX_SECONDS ? undefined : { ...found, seconds, rowSeconds: served.rowSeconds };
}

/** @returns the plan, or the reason why rows must be frozen first */
function fitTap({
  definition,
  bundle,
  columns,
  source,
  sink,
  sizing,
}: TapInput): string | Omit<TapPlan, 'seconds' | 'rowSeconds'> {
  if (!isEmbedded(source) || !takesTaps(sink)) return 'source and sink are not both DuckDB files';
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
  if (memoryPlan === undefined) return 'there is not enough memory to score rows as the query returns them';
  return { ...memoryPlan, columns: tapped, bound: bound.bytes, batchRows: rows };
}

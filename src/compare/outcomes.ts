import type { ComparedOutcomes, OutcomeMeasures } from '../domain/comparison.ts';
import type { Query } from '../domain/query.ts';
import { countPaired, pairedAucDifference, unpairedAucDifference } from '../evaluation/auc-difference.ts';
import type { OutcomeCounts } from '../evaluation/counts.ts';
import { measure } from '../evaluation/measures.ts';
import type { LabelColumns } from '../labels/columns.ts';
import { isInPartition, type Partition, partitionsOf, readLabels, UNLABELLED } from '../labels/select.ts';
import type { TableReader } from '../warehouse/reader.ts';
import type { Source } from '../warehouse/warehouse.ts';
import { hashOf, type ScoredRows } from './scored-rows.ts';

/** The outcomes of a window. */
export interface KnownLabels {
  readonly source: Source;
  /** Users without a label: leave them out, or count them as negative. */
  readonly missing: 'exclude' | 'negative';
  readonly query: Query;
  readonly columns: LabelColumns;
  readonly rows: number;
}

/** A side that can be read repeatedly. */
export interface ReadableRows {
  readonly read: <T>(work: (reader: TableReader) => Promise<T>) => Promise<T>;
  readonly rows: ScoredRows;
  readonly users: number;
}

/**
 * Measures both sides over the common users whose outcome is known. Memory is bounded: nine bytes per user, and a partition.
 */
export async function pairedOutcomes(
  labels: KnownLabels,
  { a, b }: { readonly a: ReadableRows; readonly b: ReadableRows },
  signal: AbortSignal,
): Promise<ComparedOutcomes> {
  const capacity = Math.min(a.users, b.users);
  const users = { a: new Int32Array(capacity), b: new Int32Array(capacity), cameTrue: new Uint8Array(capacity) };
  let size = 0;
  for (const partition of partitionsOf(Math.max(labels.rows, a.users, b.users))) {
    signal.throwIfAborted();
    const found = await readLabels(labels.source, labels.query, labels.columns, partition);
    const others = await readScores(a, partition);
    for (const [hash, score] of await readScores(b, partition)) {
      const other = others.get(hash);
      const { cameTrue } = found.get(hash) ?? UNLABELLED[labels.missing];
      if (other === undefined || cameTrue === undefined || size === capacity) continue;
      users.a[size] = other;
      users.b[size] = score;
      users.cameTrue[size] = Number(cameTrue);
      size += 1;
    }
  }
  const paired = { size, ...users };
  return {
    a: measuresOf(countPaired(paired, 'a')),
    b: measuresOf(countPaired(paired, 'b')),
    by: 'paired',
    auc_difference: pairedAucDifference(paired) ?? null,
  };
}

/** Measures each side over its own users whose outcome is known. */
export async function unpairedOutcomes(
  a: { readonly side: ReadableRows; readonly labels: KnownLabels },
  b: { readonly side: ReadableRows; readonly labels: KnownLabels },
  signal: AbortSignal,
): Promise<ComparedOutcomes> {
  const [one, other] = [await countSide(a.labels, a.side, signal), await countSide(b.labels, b.side, signal)];
  return {
    ...{ a: measuresOf(one), b: measuresOf(other), by: 'unpaired' },
    auc_difference: unpairedAucDifference(one, other) ?? null,
  };
}

async function countSide(labels: KnownLabels, side: ReadableRows, signal: AbortSignal): Promise<OutcomeCounts> {
  const scores = new Int32Array(side.users);
  const cameTrue = new Uint8Array(side.users);
  let size = 0;
  for (const partition of partitionsOf(Math.max(labels.rows, side.users))) {
    signal.throwIfAborted();
    const found = await readLabels(labels.source, labels.query, labels.columns, partition);
    for (const [hash, score] of await readScores(side, partition)) {
      const { cameTrue: outcome } = found.get(hash) ?? UNLABELLED[labels.missing];
      if (outcome === undefined || size === side.users) continue;
      scores[size] = score;
      cameTrue[size] = Number(outcome);
      size += 1;
    }
  }
  return countPaired({ size, a: scores, b: scores, cameTrue }, 'a');
}

/** Scores in millionths by the hash of the key. */
async function readScores({ read, rows }: ReadableRows, partition: Partition): Promise<Map<string, number>> {
  const found = await read(async ({ dialect, rows: select }) => {
    const text = (name: string, i: number) => `CAST(${name} AS ${dialect.type({ type: 'string' })}) AS value_${i}`;
    return await select(
      `SELECT ${['key_hash', 'millionths'].map(text).join(', ')}
       FROM (SELECT ${hashOf(dialect, rows)} AS key_hash, millionths FROM (${rows.select}) side_rows) hashed
       WHERE ${isInPartition(partition)}`,
    );
  });
  return new Map(found.map(([hash, millionths]) => [String(hash), Number(millionths)]));
}

function measuresOf(counts: OutcomeCounts): OutcomeMeasures {
  const { users, positives, auc, aucLow, aucHigh, brier, calibrationError } = measure(counts);
  return {
    ...{ users, positives, auc: auc ?? null, auc_low: aucLow ?? null, auc_high: aucHigh ?? null },
    ...{ brier: brier ?? null, calibration_error: calibrationError ?? null },
  };
}

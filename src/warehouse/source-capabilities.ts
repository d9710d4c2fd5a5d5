import type { Query } from '../domain/query.ts';
import type { Column } from '../domain/schema.ts';
import type { Source } from './warehouse.ts';

/** Optional capability of a source: it counts a query's rows at almost no cost. */
export interface CountingSource {
  count(query: Query): Promise<number>;
}

export function canCount(source: Source): source is Source & CountingSource {
  return 'count' in source;
}

/** Optional capability of a source: it estimates how much a query reads, and therefore costs, before running it. */
export interface EstimatingSource {
  /** Bytes the warehouse would bill for the query. */
  estimate(query: Query): Promise<number>;
}

export function canEstimate(source: Source): source is Source & EstimatingSource {
  return 'estimate' in source;
}

/** Bytes of the largest string of a column, in UTF-8. */
export interface LargestText {
  readonly column: string;
  readonly bytes: number;
}

/** Optional capability of a source: it finds the column with the largest strings in one query over all rows. */
export interface MeasuringSource {
  /** @param texts the query's text columns */
  largest(query: Query, texts: readonly Column[], runId: string): Promise<readonly LargestText[]>;
}

export function canMeasure(source: Source): source is Source & MeasuringSource {
  return 'largest' in source;
}

import type { DatasetName } from './facets.ts';

/** A column of a table. */
export interface OriginColumn extends DatasetName {
  readonly field: string;
  /** Whether the query returns it as it is. */
  readonly identity: boolean;
}

/** What is known of where a query's rows come from. */
export interface TracedQuery {
  /** Tables and files that it reads. */
  readonly tables: readonly DatasetName[];
  /** Columns of the query by their names in lower case; those whose origin is not known for sure are missing. */
  readonly columns: ReadonlyMap<string, readonly OriginColumn[]>;
}

export const UNTRACED: TracedQuery = { tables: [], columns: new Map() };

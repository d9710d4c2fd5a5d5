import type { DatasetName } from './facets.ts';

/** A column of a table. */
export interface OriginColumn extends DatasetName {
  readonly field: string;
  /** Whether the query returns it unchanged. */
  readonly identity: boolean;
}

/** What is known about the sources of a query's rows. */
export interface TracedQuery {
  /** Tables and files that it reads. */
  readonly tables: readonly DatasetName[];
  /** Origins by lower-case name of a query's column; missing unless certain. */
  readonly columns: ReadonlyMap<string, readonly OriginColumn[]>;
}

export const UNTRACED: TracedQuery = { tables: [], columns: new Map() };

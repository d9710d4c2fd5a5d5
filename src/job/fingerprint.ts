import { createHash, createHmac } from 'node:crypto';
import type { RunDetails } from '../domain/ledger.ts';
import { byProvider, parseProvider } from '../domain/provider.ts';
import type { Query } from '../domain/query.ts';
import type { Schema } from '../domain/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import type { JobDefinition } from './schema.ts';

/** Increment it if frozen tables or staging of an older version cannot be resumed, or would give another publication. */
const FORMAT_VERSION = 5;

export interface Fingerprinted {
  readonly query: Query;
  /** See `Source.identity`. */
  readonly source: string;
  readonly columns: Schema;
  readonly definition: JobDefinition;
  readonly bundle: Bundle;
  /** Secret of `hashedValue`, if there is one. */
  readonly hashKey: string | undefined;
  /** The rows of then that are scored, if it is not the query that gives them. */
  readonly asOf?: NonNullable<RunDetails['as_of']> | undefined;
}

/**
 * Equal for two runs that would publish the same scores from the same rows. Covers the source database's identity, the SQL
 * and its bound values, the column types, the effective job, the bundle and the hash key. Does not cover keys that only
 * affect speed (workers, devices, unloading), cost limits, table sharing, what is kept, labels, comparisons and the warehouses'
 * URLs: two checkouts can have the same URL for different databases, and the sink is the warehouse whose ledger holds the fingerprint.
 *
 * @returns SHA-256, hex
 */
export function fingerprintOf({ query, source: identity, columns, definition, bundle, hashKey, asOf }: Fingerprinted): string {
  const { workers: _workers, max_memory: _memory, providers, ...score } = definition.score;
  const names = byProvider(providers).map(([first = '']) => parseProvider(first).name);
  const { max_bytes: _bytes, usd_per_tib: _price, warehouse: _from, ...reading } = definition.source;
  const { freeze: _freeze, unload: _unload, keep_rows: _keep, ...source } = reading;
  const { warehouse: _to, shared_tables: _shared, history: _history, history_for: _age, ...sink } = definition.sink;
  // What became of the users, and what other models make of them, changes no score.
  const { labels: _labels, compare: _compare, challenger: _challenger, ...scoring } = definition;
  const parts = {
    format: FORMAT_VERSION,
    source: identity,
    texts: query.texts,
    parameters: query.parameters,
    columns,
    definition: { ...scoring, source, sink, score: { ...score, providers: names } },
    model: [bundle.digest, bundle.definitionDigest],
    ...(asOf && { asOf }),
    ...(hashKey && { hashKey: createHmac('sha256', hashKey).update('score-batch').digest('hex') }),
  };
  return createHash('sha256').update(canonical(parts)).digest('hex');
}

/** JSON with sorted keys: their order in a file has no meaning. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

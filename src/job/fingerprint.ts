import { createHash, createHmac } from 'node:crypto';
import { byProvider, parseProvider } from '../domain/provider.ts';
import type { Query } from '../domain/query.ts';
import type { Schema } from '../domain/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import type { JobDefinition } from './schema.ts';

/** Raised when frozen tables or staging of an older version could not be gone on with, or would be published otherwise. */
const FORMAT_VERSION = 5;

export interface Fingerprinted {
  readonly query: Query;
  /** See `Source.identity`. */
  readonly source: string;
  readonly columns: Schema;
  readonly definition: JobDefinition;
  readonly bundle: Bundle;
  /** Secret of `hashedValue`; undefined for none. */
  readonly hashKey: string | undefined;
}

/**
 * Equal for two runs that would publish the same from the same rows: the source database itself, SQL and bound values, the
 * types of its columns, the effective job, the model and its rules, the key of its hashes. Left out: what only changes how
 * fast a run is (workers, devices, unloading), what it may cost, who else may publish there, and the words that name the
 * warehouses. Two checkouts name different databases by the same words; the sink is the one whose ledger the fingerprint
 * stands in.
 *
 * @returns SHA-256, hex
 */
export function fingerprintOf({ query, source: identity, columns, definition, bundle, hashKey }: Fingerprinted): string {
  const { workers: _, max_memory: _memory, providers, ...score } = definition.score;
  const names = byProvider(providers).map(([first = '']) => parseProvider(first).name);
  const { max_bytes: __, usd_per_tib: ___, warehouse: ____, freeze: _freeze, unload: _unload, ...source } = definition.source;
  const { warehouse: _____, shared_tables: ______, ...sink } = definition.sink;
  const parts = {
    format: FORMAT_VERSION,
    source: identity,
    texts: query.texts,
    parameters: query.parameters,
    columns,
    definition: { ...definition, source, sink, score: { ...score, providers: names } },
    model: [bundle.digest, bundle.definitionDigest],
    ...(hashKey && { hashKey: createHmac('sha256', hashKey).update('score-batch').digest('hex') }),
  };
  return createHash('sha256').update(canonical(parts)).digest('hex');
}

/** JSON with sorted keys: the order in a file means nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

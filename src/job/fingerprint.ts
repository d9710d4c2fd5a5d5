import { createHash, createHmac } from 'node:crypto';
import { byProvider, parseProvider } from '../domain/provider.ts';
import type { Query } from '../domain/query.ts';
import type { FingerprintParts } from '../domain/recorded-basis.ts';
import type { RunDetails } from '../domain/run-details.ts';
import type { Schema } from '../domain/schema.ts';
import type { SliceDetails } from '../domain/slice.ts';
import type { Bundle } from '../model/bundle.ts';
import type { JobDefinition } from './schema.ts';

/** Increment if frozen tables or staging of an older version cannot be resumed, or would yield another publication. */
const FORMAT_VERSION = 5;

export interface Fingerprinted {
  readonly query: Query;
  /** See `Source.identity`. */
  readonly source: string;
  readonly columns: Schema;
  readonly definition: JobDefinition;
  readonly bundle: Bundle;
  /** Secret for `hashedValue`, if any. */
  readonly hashKey: string | undefined;
  /** The kept rows to score, if they come from an earlier run instead of the query. */
  readonly asOf: NonNullable<RunDetails['as_of']> | undefined;
  /** What the run reads, if it is a slice. */
  readonly slice?: SliceDetails | undefined;
}

/** Keys of the job file that do not affect the publication, and can be changed while a run is unfinished. */
export const OUTSIDE_FINGERPRINT = [
  // Two checkouts can have the same URL for different databases; the sink is the warehouse whose ledger has the fingerprint.
  'source.warehouse',
  'sink.warehouse',
  // Speed and cost.
  'source.freeze',
  'source.unload',
  'source.max_bytes',
  'source.usd_per_tib',
  'score.workers',
  'score.max_memory',
  // Who else writes to the tables, and which rows and publications are kept.
  'sink.shared_tables',
  'sink.history',
  'sink.history_for',
  'source.keep_rows',
  // Outcomes, and other models' scores, change no score.
  'labels',
  'compare',
  'challenger',
  // The bundle's digest identifies the model.
  'registry',
  // Who is notified of the scores does not change them.
  'delivery',
  // Slices are separate runs.
  'incremental',
] as const;

/**
 * Equal for two runs that would publish the same scores from the same rows. Covers the source database's identity, the SQL
 * and its bound values, the column types, the effective job but for `OUTSIDE_FINGERPRINT` and devices, the bundle and the
 * hash key.
 *
 * @returns SHA-256, hex
 */
export function fingerprintOf(of: Fingerprinted): string {
  return createHash('sha256')
    .update(canonical(partsOf(of)))
    .digest('hex');
}

/** A digest of each part, to tell in what two runs differ. All are equal if the fingerprints are. */
export function fingerprintParts(of: Fingerprinted): FingerprintParts {
  const { format, source, texts, parameters, columns, definition, model, hashKey, asOf } = partsOf(of);
  const digest = (value: unknown) => createHash('sha256').update(canonical(value)).digest('hex').slice(0, 16);
  return {
    format: String(format),
    source: digest(asOf === undefined ? source : [source, asOf]),
    query: digest(texts),
    window: digest(parameters),
    columns: digest(columns),
    job: digest(definition),
    model: digest(model),
    hash_key: digest(hashKey ?? null),
  };
}

function partsOf({ query, source, columns, definition, bundle, hashKey, asOf, slice }: Fingerprinted) {
  const { score, ...scoring } = without(definition, OUTSIDE_FINGERPRINT);
  const providers = byProvider(definition.score.providers).map(([first = '']) => parseProvider(first).name);
  return {
    format: FORMAT_VERSION,
    source,
    texts: query.texts,
    parameters: query.parameters,
    columns,
    definition: { ...scoring, score: { ...(score as object), providers } },
    model: [bundle.digest, bundle.definitionDigest],
    ...(asOf && { asOf }),
    ...(slice && { slice }),
    ...(hashKey && { hashKey: createHmac('sha256', hashKey).update('score-batch').digest('hex') }),
  };
}

/** @param keys of the object, or of an object in it: `source.warehouse` */
function without(object: object, keys: readonly string[], at = ''): Record<string, unknown> {
  const kept = Object.entries(object).filter(([key]) => !keys.includes(`${at}${key}`));
  return Object.fromEntries(
    kept.map(([key, inner]) => [
      key,
      typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? without(inner, keys, `${at}${key}.`) : inner,
    ]),
  );
}

/** JSON with sorted keys: their order in a file has no meaning. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

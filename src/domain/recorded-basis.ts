import type { InputDtype } from './signature.ts';

// What a run was made from, recorded in its first ledger entry: enough for a later plan to say what has changed. Bounded, since
// every command reads the ledger.

/** Digests of the parts of a fingerprint; see `fingerprintParts`. */
export interface FingerprintParts {
  readonly format: string;
  readonly source: string;
  readonly query: string;
  /** The values of the query's parameters. */
  readonly window: string;
  readonly columns: string;
  readonly job: string;
  readonly model: string;
  readonly hash_key: string;
}

/**
 * The job file with its defaults, flat: `sink.keep` → its value as JSON. Long values, and sections if there are too many keys,
 * are digests: `sha256:…`.
 */
export type RecordedDefinition = Readonly<Record<string, string>>;

/** A feature; false and unset properties are left out. */
export interface RecordedFeature {
  readonly name: string;
  readonly dtype: InputDtype;
  readonly nullable?: true;
  readonly default?: number | string | boolean;
  readonly range?: readonly [number, number];
  /** A long list is stored as its digest. */
  readonly categories?: readonly string[] | string;
  readonly category_count?: number;
  readonly unknown?: 'allow' | 'default';
}

export interface RecordedSignature {
  /** Number of features of the model. */
  readonly features: number;
  /** The first of them. */
  readonly listed: readonly RecordedFeature[];
  /** `name[index]` */
  readonly output: string;
}

/** A golden row: a digest of its features, and its score. */
export type RecordedGoldenRow = readonly [digest: string, score: number];

export interface RecordedBasis {
  readonly fingerprint: FingerprintParts;
  readonly definition: RecordedDefinition;
  readonly signature: RecordedSignature;
  /** The first golden rows of the bundle; absent if they cannot be read. */
  readonly golden?: readonly RecordedGoldenRow[];
}

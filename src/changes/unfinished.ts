import type { Run } from '../domain/ledger.ts';
import type { FingerprintParts, RecordedBasis } from '../domain/recorded-basis.ts';
import { OUTSIDE_FINGERPRINT } from '../job/fingerprint.ts';
import { definitionChanges } from './definition.ts';

/** Why an unfinished run is not resumed: the parts of its fingerprint that have changed. */
export interface Divergence {
  /** Null if the run was started by a version that did not record them. */
  readonly differs: readonly (keyof FingerprintParts)[] | null;
  /** Keys of the job file that have changed. */
  readonly keys: readonly string[];
}

export function divergence({ details }: Run, now: RecordedBasis): Divergence {
  const { basis } = details;
  if (basis === undefined) return { differs: null, keys: [] };
  const parts = Object.keys(now.fingerprint) as (keyof FingerprintParts)[];
  const differs = parts.filter((part) => basis.fingerprint[part] !== now.fingerprint[part]);
  const keys = differs.includes('job') ? definitionChanges(basis.definition, now.definition).map(({ key }) => key) : [];
  return { differs, keys: keys.filter((key) => !isOutside(key)) };
}

function isOutside(key: string): boolean {
  return OUTSIDE_FINGERPRINT.some((outside) => key === outside || key.startsWith(`${outside}.`));
}

const PARTS: Readonly<Record<keyof FingerprintParts, string>> = {
  format: 'the version of score-batch',
  source: 'the database',
  query: 'the query',
  window: "the values of the query's parameters",
  columns: 'the types of the columns',
  job: 'the job file',
  model: 'the model',
  hash_key: 'SCORE_BATCH_HASH_KEY',
};

/** `the query, the job file (gates.min_rows)` */
export function showDivergence({ differs, keys }: Divergence): string {
  if (differs === null) return 'something that its version of score-batch did not record';
  const named = differs.map((part) => (part === 'job' && keys.length > 0 ? `${PARTS.job} (${keys.join(', ')})` : PARTS[part]));
  return named.join(', ');
}

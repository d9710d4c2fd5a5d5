import type { ErrorKind } from '../../errors.ts';

// Snowflake has thousands of codes and documents few of them, but they come in ranges, and beside most there is an SQLSTATE,
// whose classes are those of the standard: https://docs.snowflake.com/en/developer-guide/snowflake-scripting/exceptions

/** Ranges in which Snowflake's codes count for more than the SQLSTATE beside them, which is often that of its neighbours. */
const RANGES: readonly (readonly [codes: RegExp, kind: ErrorKind])[] = [
  // Logins and tokens.
  [/^39\d{4}$/, 'permission'],
  [/^003001$/, 'permission'],
  // Locks and transactions of others.
  [/^(000625|000628|100096)$/, 'conflict'],
  // Statements that were ended, and what fails inside.
  [/^(0006(03|04|30)|000707|090073)$/, 'unavailable'],
  [/^(3[0-8]|37)\d{4}$/, 'unavailable'],
  // The driver's own: the network, results that are fetched elsewhere, certificates.
  [/^(40[12]|407|41[23])\d{3}$/, 'unavailable'],
  [/^4\d{5}$/, 'configuration'],
];

/** Classes of SQLSTATE. */
const STATES: readonly (readonly [states: RegExp, kind: ErrorKind])[] = [
  [/^42501$/, 'permission'],
  [/^28/, 'permission'],
  [/^(08|53|54|57|58|XX|P0)/, 'unavailable'],
  [/^40/, 'conflict'],
  [/^(02|0A|21|22|23|25|2B|2F|3D|3F|42|44|55)/, 'configuration'],
];

/** Ranges for what has no SQLSTATE. */
const OTHERWISE: readonly (readonly [codes: RegExp, kind: ErrorKind])[] = [
  // Compilation, objects, access, scripting.
  [/^00[0-5]\d{3}$/, 'configuration'],
  // Sessions: no current database, schema or warehouse.
  [/^09\d{4}$/, 'configuration'],
  // What a statement met in a row or a file.
  [/^1\d{5}$/, 'configuration'],
];

/** What a code is about. What nobody has heard of may pass. */
export function kindOf(code: string, sqlState: string | undefined): ErrorKind {
  return find(RANGES, code) ?? find(STATES, sqlState ?? '') ?? find(OTHERWISE, code) ?? 'unavailable';
}

function find(table: readonly (readonly [pattern: RegExp, kind: ErrorKind])[], text: string): ErrorKind | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}

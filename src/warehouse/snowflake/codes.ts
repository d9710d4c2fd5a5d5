import type { ErrorKind } from '../../errors.ts';

// Snowflake has thousands of error codes and documents few of them. But they come in ranges, and most errors also have an
// SQLSTATE with the classes of the SQL standard:
// https://docs.snowflake.com/en/developer-guide/snowflake-scripting/exceptions

/** Ranges of codes that take precedence over the SQLSTATE, which is often imprecise for them. */
const RANGES: readonly (readonly [codes: RegExp, kind: ErrorKind])[] = [
  // Logins and tokens.
  [/^39\d{4}$/, 'permission'],
  [/^003001$/, 'permission'],
  // Locks and concurrent transactions.
  [/^(000625|000628|100096)$/, 'conflict'],
  // Cancelled statements and internal errors.
  [/^(0006(03|04|30)|000707|090073)$/, 'unavailable'],
  [/^(3[0-8]|37)\d{4}$/, 'unavailable'],
  // Errors of the driver: network, result downloads, certificates.
  [/^(40[12]|407|41[23])\d{3}$/, 'unavailable'],
  [/^4\d{5}$/, 'configuration'],
];

/** SQLSTATE classes. */
const STATES: readonly (readonly [states: RegExp, kind: ErrorKind])[] = [
  [/^42501$/, 'permission'],
  [/^28/, 'permission'],
  [/^(08|53|54|57|58|XX|P0)/, 'unavailable'],
  [/^40/, 'conflict'],
  [/^(02|0A|21|22|23|25|2B|2F|3D|3F|42|44|55)/, 'configuration'],
];

/** Ranges of codes for errors without an SQLSTATE. */
const FALLBACKS: readonly (readonly [codes: RegExp, kind: ErrorKind])[] = [
  // Compilation, objects, access, scripting.
  [/^00[0-5]\d{3}$/, 'configuration'],
  // Sessions: no current database, schema or warehouse.
  [/^09\d{4}$/, 'configuration'],
  // Values in a row or a file.
  [/^1\d{5}$/, 'configuration'],
];

/** The error kind of a code. Unknown codes count as transient. */
export function kindOf(code: string, sqlState: string | undefined): ErrorKind {
  return find(RANGES, code) ?? find(STATES, sqlState ?? '') ?? find(FALLBACKS, code) ?? 'unavailable';
}

function find(table: readonly (readonly [pattern: RegExp, kind: ErrorKind])[], text: string): ErrorKind | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}

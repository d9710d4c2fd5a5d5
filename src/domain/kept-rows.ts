/** Marks rows of a frozen table that outlive their run, so that another model can score them. */
export interface KeptRows {
  /** ISO instant at which they were frozen. */
  readonly since: string;
  /** `source.keep_rows` at that time. */
  readonly days: number;
  /** Names of the key's columns, by which a person's rows are found. */
  readonly key: readonly string[];
}

const DAY_MS = 86_400_000;

/**
 * When kept rows expire: after the time that the job stated when they were frozen, or less if it states less now. A warehouse
 * may drop a table on its own at the original deadline, so a longer time has no effect.
 *
 * @param present `source.keep_rows` now; undefined if not set, so that nothing is kept
 * @returns ISO instant
 */
export function keptUntil({ since, days }: KeptRows, present: number | undefined): string {
  return new Date(Date.parse(since) + Math.min(days, present ?? 0) * DAY_MS).toISOString();
}

/** @param days `source.keep_rows`; undefined if rows are not kept */
export function keepRows(days: number | undefined, key: readonly { readonly name: string }[]): KeptRows | undefined {
  return days === undefined ? undefined : { since: new Date().toISOString(), days, key: key.map(({ name }) => name) };
}

/**
 * Metadata about an object's writer. Compares only what the ledger can order: an object of the same run and publication, made
 * after the same number of erasures, holds the same rows.
 */
export type ObjectMark = FileMark | ListingMark;

/** Mark of every other file: it shows a publication. */
export interface FileMark {
  readonly job: string;
  readonly runId: string;
  /** Number of the publication in the ledger. */
  readonly publication: number;
  /** How many erasures the run's rows had seen. */
  readonly erasures: number;
}

/** Mark of an index page: it shows the job's ledger up to an entry. */
interface ListingMark {
  readonly job: string;
  readonly entry: number;
}

const PREFIX = 'score-batch-';

/** Metadata of an object: lower-case names, ASCII values. */
export function metadataOf(mark: ObjectMark): Record<string, string> {
  const named =
    'entry' in mark
      ? { job: mark.job, entry: mark.entry }
      : { job: mark.job, run: mark.runId, publication: mark.publication, erasures: mark.erasures };
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [`${PREFIX}${name}`, String(value)]));
}

/** @returns undefined if score-batch did not write the metadata */
export function markOf(metadata: Readonly<Record<string, unknown>> | undefined): ObjectMark | undefined {
  const text = (name: string) => {
    const value = metadata?.[`${PREFIX}${name}`];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [job, runId] = [text('job'), text('run')];
  const number = (name: string) => (/^\d{1,15}$/.test(text(name) ?? '') ? Number(text(name)) : undefined);
  if (job === undefined) return undefined;
  const entry = number('entry');
  if (entry !== undefined) return { job, entry };
  const [publication, erasures] = [number('publication'), number('erasures')];
  if (runId === undefined || publication === undefined || erasures === undefined) return undefined;
  return { job, runId, publication, erasures };
}

/** Whether two objects hold the same rows. */
export function isSameMark(one: ObjectMark | undefined, other: ObjectMark): boolean {
  return one !== undefined && JSON.stringify(metadataOf(one)) === JSON.stringify(metadataOf(other));
}

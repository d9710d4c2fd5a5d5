import { type Features, problemOf, vectorOf } from './features.ts';

// What the current table must hold after each slice, from the orders that the slice could see: the same rules as the product's,
// over objects instead of SQL, and without a model. A score is learned the first time that features are seen, and must then be
// the same wherever they are seen again.

export interface ExpectedRow {
  readonly position: number;
  readonly asOf: string;
  readonly digest: string;
  readonly deleted: boolean;
  readonly features: Features | undefined;
  readonly vector: string;
  /** Why the user is quarantined; null if the user is not. */
  readonly problem: string | null;
  /** When the score, the reason or `deleted` changed; undefined while a score is not known. */
  readonly changedAt: string | undefined;
  readonly previousScore: number | null | undefined;
  /** The row before it, while `changedAt` and `previousScore` are not known. */
  readonly before: ExpectedRow | undefined;
}

export interface Expected {
  row(customer: number): ExpectedRow | undefined;
  score(digest: string, vector: string): number | undefined;
}

/** Changes of what is expected that hold once they are found to be true. */
export interface Draft extends Expected {
  readonly rows: Map<number, ExpectedRow>;
  readonly scores: Map<string, number>;
}

export function draftOn(base: Expected): Draft {
  const rows = new Map<number, ExpectedRow>();
  const scores = new Map<string, number>();
  return {
    rows,
    scores,
    row: (customer) => rows.get(customer) ?? base.row(customer),
    score: (digest, vector) => scores.get(scoreKey(digest, vector)) ?? base.score(digest, vector),
  };
}

/** Everything that is expected so far. */
export interface Known extends Expected {
  readonly rows: ReadonlyMap<number, ExpectedRow>;
  keep(draft: Draft): void;
}

export function nothingKnown(): Known {
  const rows = new Map<number, ExpectedRow>();
  const scores = new Map<string, number>();
  return {
    rows,
    row: (customer) => rows.get(customer),
    score: (digest, vector) => scores.get(scoreKey(digest, vector)),
    keep(draft) {
      for (const [customer, row] of draft.rows) rows.set(customer, row);
      for (const [key, score] of draft.scores) scores.set(key, score);
    },
  };
}

export function scoreKey(digest: string, vector: string): string {
  return `${digest} ${vector}`;
}

export interface SliceOfUsers {
  readonly position: number;
  readonly asOf: string;
  readonly digest: string;
  /** Users whom the slice reads. */
  readonly keys: Iterable<number>;
  /** Undefined for a user whom the query does not have. */
  readonly features: (customer: number) => Features | undefined;
}

export interface SliceCounts {
  scored: number;
  unchanged: number;
  quarantined: number;
  deleted: number;
}

/** Applies a slice to what is expected. */
export function applySlice(draft: Draft, { position, asOf, digest, keys, features }: SliceOfUsers): SliceCounts {
  const counts: SliceCounts = { scored: 0, unchanged: 0, quarantined: 0, deleted: 0 };
  for (const customer of keys) {
    const before = draft.row(customer);
    const found = features(customer);
    const place = { position, asOf, changedAt: undefined, previousScore: undefined };
    if (found === undefined) {
      if (before === undefined || before.deleted) continue;
      counts.deleted += 1;
      draft.rows.set(customer, resolved(draft, { ...before, ...place, deleted: true, problem: null, before }));
      continue;
    }
    const vector = vectorOf(found);
    const problem = problemOf(found);
    const row = { ...place, digest, deleted: false, features: found, vector, problem, before };
    if (problem !== null) counts.quarantined += 1;
    else if (isUnchanged(before, row)) counts.unchanged += 1;
    else counts.scored += 1;
    draft.rows.set(customer, resolved(draft, row));
  }
  return counts;
}

/** Fills in when the row changed, as far as the scores are known. */
export function resolved(scores: Expected, row: ExpectedRow): ExpectedRow {
  if (row.before === undefined) return row.changedAt === undefined ? { ...row, changedAt: row.asOf, previousScore: null } : row;
  const before = resolved(scores, row.before);
  const [score, earlier] = [scoreOf(scores, row), scoreOf(scores, before)];
  if (before.changedAt === undefined || score === undefined || earlier === undefined) return { ...row, before };
  const differs = row.deleted !== before.deleted || score !== earlier || row.problem !== before.problem;
  return differs
    ? { ...row, changedAt: row.asOf, previousScore: earlier ?? before.previousScore, before: undefined }
    : { ...row, changedAt: before.changedAt, previousScore: before.previousScore, before: undefined };
}

/** Null for no score, undefined for one that is not known. */
export function scoreOf(scores: Expected, { deleted, problem, digest, vector }: ExpectedRow): number | null | undefined {
  return deleted || problem !== null ? null : scores.score(digest, vector);
}

function isUnchanged(before: ExpectedRow | undefined, row: Pick<ExpectedRow, 'digest' | 'vector'>): boolean {
  return (
    before !== undefined &&
    !before.deleted &&
    before.problem === null &&
    before.digest === row.digest &&
    before.vector === row.vector
  );
}

import { type Features, problemOf, vectorOf } from './features.ts';

// What the current table must contain after each slice, given the orders that it could see: the product's rules, on objects
// instead of SQL, without a model. The score is learned when features are first seen, and must then be the same whenever they
// recur.

export interface ExpectedRow {
  readonly position: number;
  readonly asOf: string;
  readonly digest: string;
  readonly deleted: boolean;
  readonly features: Features | undefined;
  readonly vector: string;
  /** Why the user is quarantined; null if not. */
  readonly problem: string | null;
  /** When the score, the reason or `deleted` changed; undefined until the score is known. */
  readonly changedAt: string | undefined;
  readonly previousScore: number | null | undefined;
  /** The previous row, as long as `changedAt` and `previousScore` are unknown. */
  readonly before: ExpectedRow | undefined;
}

export interface Expected {
  row(customer: number): ExpectedRow | undefined;
  score(digest: string, vector: string): number | undefined;
}

/** Changed expectations, which apply once they are confirmed. */
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

/** All current expectations. */
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
  /** Undefined for a user missing from the query. */
  readonly features: (customer: number) => Features | undefined;
}

export interface SliceCounts {
  scored: number;
  unchanged: number;
  quarantined: number;
  deleted: number;
}

/** Applies a slice to the expectations. */
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

/** Null if there is no score, undefined if it is unknown. */
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

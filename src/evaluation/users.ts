/** Users who were contacted, those who were not, or both together. */
export const CONTACT_GROUPS = ['all', 'treated', 'untreated'] as const;
export type ContactGroup = (typeof CONTACT_GROUPS)[number];

// A user takes four bytes, plus one per segment, so that ten million users fit into 40 MB. From the highest bit down: score in
// millionths (20 bits), decile (4), contact (2), outcome (1). So sorting by this number sorts users by score.

const SCORE_SHIFT = 7;
const DECILE_SHIFT = 3;
const CONTACT_SHIFT = 1;
const CONTACT: Readonly<Record<ContactGroup, number>> = { all: 0, treated: 1, untreated: 2 };

export interface EvaluatedUser {
  /** Published score in millionths. */
  readonly score: number;
  /** Published decile; 1 has the highest scores. */
  readonly decile: number;
  readonly cameTrue: boolean;
  /** Whether the user was contacted; undefined if unknown. */
  readonly treated: boolean | undefined;
  /** Per segment, the number of the user's value in the segment's list; 0 for an unlisted value. */
  readonly segments: readonly number[];
}

/** Users with known outcomes, for measures over all of them and over each segment. */
export interface EvaluatedUsers {
  readonly size: number;
  add(user: EvaluatedUser): void;
  /** All users, or those with one value of a segment. @param value its number in the segment's list, from 1 */
  group(of?: { readonly segment: number; readonly value: number }): UserGroup;
}

/** Users in the order of their scores, the lowest first. */
export interface UserGroup {
  readonly size: number;
  score(position: number): number;
  decile(position: number): number;
  cameTrue(position: number): boolean;
  isIn(position: number, contact: ContactGroup): boolean;
}

/**
 * @param capacity maximum number of users
 * @param segments number of segments
 */
export function makeUsers(capacity: number, segments: number): EvaluatedUsers {
  const packed = new Uint32Array(capacity);
  const values = Array.from({ length: segments }, () => new Uint8Array(capacity));
  let size = 0;
  /** Users by value of the most recently requested segment, sorted within each value. */
  let buckets: { readonly segment: number; readonly users: readonly Uint32Array[] } | undefined;
  return {
    get size() {
      return size;
    },
    add({ score, decile, cameTrue, treated, segments: numbers }) {
      if (size === capacity) throw new RangeError('there are more users than expected');
      const contact = treated === undefined ? CONTACT.all : treated ? CONTACT.treated : CONTACT.untreated;
      packed[size] = (score << SCORE_SHIFT) | (decile << DECILE_SHIFT) | (contact << CONTACT_SHIFT) | (cameTrue ? 1 : 0);
      for (const [i, column] of values.entries()) column[size] = numbers[i] ?? 0;
      size += 1;
      buckets = undefined;
    },
    group(of) {
      if (of === undefined) return groupOf(packed.slice(0, size).sort());
      if (buckets?.segment !== of.segment) {
        const column = values[of.segment] ?? new Uint8Array(size);
        buckets = { segment: of.segment, users: split(packed.subarray(0, size), column) };
      }
      return groupOf(buckets.users[of.value] ?? new Uint32Array());
    },
  };
}

/** The users of each value, sorted. */
function split(packed: Uint32Array, values: Uint8Array): Uint32Array[] {
  const counts = new Uint32Array(256);
  for (let i = 0; i < packed.length; i += 1) bump(counts, values[i] ?? 0);
  const users = Array.from(counts, (count) => new Uint32Array(count));
  const filled = new Uint32Array(256);
  for (const [i, user] of packed.entries()) {
    const value = values[i] ?? 0;
    const bucket = users[value];
    if (bucket) bucket[filled[value] ?? 0] = user;
    bump(filled, value);
  }
  for (const bucket of users) bucket.sort();
  return users;
}

function bump(counts: Uint32Array, at: number): void {
  counts[at] = (counts[at] ?? 0) + 1;
}

function groupOf(sorted: Uint32Array): UserGroup {
  const at = (position: number): number => sorted[position] ?? 0;
  return {
    size: sorted.length,
    score: (position) => at(position) >>> SCORE_SHIFT,
    decile: (position) => (at(position) >>> DECILE_SHIFT) & 15,
    cameTrue: (position) => (at(position) & 1) === 1,
    isIn: (position, contact) => contact === 'all' || ((at(position) >>> CONTACT_SHIFT) & 3) === CONTACT[contact],
  };
}

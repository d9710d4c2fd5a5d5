/** A member of a group, with the partitions that it already had. */
export interface GroupMember {
  readonly id: string;
  readonly owned: readonly number[];
}

/**
 * Decides which member reads which partitions: an equal number each, give or take one. Partitions stay where they were if
 * possible, because a moved one has to read its window again. The order of members does not matter.
 */
export function assignPartitions(members: readonly GroupMember[], partitions: number): ReadonlyMap<string, readonly number[]> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const least = Math.floor(partitions / sorted.length);
  // This many members get one more, those that had most first.
  let more = partitions % sorted.length;
  const free = new Set(Array.from({ length: partitions }, (_, partition) => partition));
  const assigned = new Map<string, number[]>();
  for (const { id, owned } of sorted.toSorted((a, b) => b.owned.length - a.owned.length)) {
    const had = [...new Set(owned)].filter((partition) => free.has(partition)).sort((a, b) => a - b);
    const most = more > 0 && had.length > least ? least + 1 : least;
    if (most > least) more--;
    const kept = had.slice(0, most);
    for (const partition of kept) free.delete(partition);
    assigned.set(id, kept);
  }
  for (const { id } of sorted) {
    const own = assigned.get(id) ?? [];
    let most = Math.max(least, own.length);
    if (most === least && more > 0) {
      most++;
      more--;
    }
    for (const partition of free) {
      if (own.length >= most) break;
      own.push(partition);
      free.delete(partition);
    }
    assigned.set(
      id,
      own.sort((a, b) => a - b),
    );
  }
  return assigned;
}

/** A count for people: `1,234`. */
export function grouped(count: number): string {
  return count.toLocaleString('en');
}

/**
 * A count with its noun: `1 chunk`, `1,234 rows`.
 *
 * @param one the noun in the singular
 * @param many the plural, if it is not `one` + s
 */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

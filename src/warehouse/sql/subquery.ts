/** Wraps a query for use inside another. The line break ends a trailing line comment. */
export function asSubquery(sql: string): string {
  return `(${sql}\n)`;
}

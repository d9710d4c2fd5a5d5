/** Makes a query usable inside another; the line break ends a comment on its last line. */
export function asSubquery(sql: string): string {
  return `(${sql}\n)`;
}

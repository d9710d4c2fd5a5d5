/** A table by the parts of its name, unquoted, outermost first: `[schema, table]`. */
export type TableName = readonly string[];

/**
 * `marketing.churn_scores` or `"odd.schema"."my table"` → its parts, unquoted. Statements quote the parts again in their own
 * dialect; the string is never pasted into SQL.
 *
 * @returns undefined if the string is not a table name
 */
export function parseTableName(text: string): TableName | undefined {
  const parts: string[] = [];
  const part = /(?:"((?:[^"]|"")+)"|([^".\s;]+))(\.|$)/y;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (!match) return undefined;
    parts.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') return parts.length <= 3 ? parts : undefined;
  }
  return undefined;
}

/** For messages and logs. */
export function showTableName(name: TableName): string {
  return name.join('.');
}

/** Whether two names refer to the same table. @param recorded from the ledger, so it can be anything */
export function isSameTable(recorded: unknown, name: TableName): boolean {
  return Array.isArray(recorded) && JSON.stringify(recorded).toLowerCase() === JSON.stringify(name).toLowerCase();
}

/** A table in the same schema, with a suffix: `churn_scores` → `churn_scores_quarantine`. */
export function suffixed(name: TableName, suffix: string): TableName {
  return [...name.slice(0, -1), `${name.at(-1)}${suffix}`];
}

/** Another table in the same schema. */
export function sibling(name: TableName, table: string): TableName {
  return [...name.slice(0, -1), table];
}

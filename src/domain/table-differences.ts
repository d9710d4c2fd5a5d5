/** A column with the type as the warehouse shows it, e.g. `DECIMAL(7,6)`. */
export interface ShownColumn {
  readonly name: string;
  readonly type: string;
}

/**
 * How the columns of an existing table differ from those that are published, one sentence per difference.
 *
 * @param table the table's name, for people
 * @param fits whether values of column `wanted` can be written to column `found`; by default the types must be equal
 */
export function columnDifferences<T extends ShownColumn>(
  table: string,
  found: readonly T[],
  wanted: readonly T[],
  fits: (found: T, wanted: T) => boolean = (a, b) => a.type === b.type,
): string[] {
  const byName = (columns: readonly T[]) => new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  const [there, published] = [byName(found), byName(wanted)];
  const lacking = [...published].flatMap(([key, column]) => {
    const actual = there.get(key);
    if (actual === undefined) return [`${table} has no column ${column.name} (${column.type})`];
    return fits(actual, column) ? [] : [`${table}.${column.name} is ${actual.type} and should be ${column.type}`];
  });
  const surplus = [...there].flatMap(([key, { name }]) =>
    published.has(key) ? [] : [`${table} has a column ${name} that is not published`],
  );
  return [...lacking, ...surplus];
}

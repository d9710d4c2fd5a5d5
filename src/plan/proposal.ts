import { type Column, findColumn, type Schema } from '../domain/schema.ts';
import { accepts, featuresOf, type Signature } from '../domain/signature.ts';
import { RESERVED_COLUMNS, RESERVED_FOR_KEYS } from '../domain/tables.ts';
import { castHint } from '../model/cast-hint.ts';
import { nearest } from '../suggest.ts';

/** A feature without an obvious column in the table. */
export interface OpenFeature {
  readonly name: string;
  readonly dtype: string;
  /** What is missing, in a few words. */
  readonly why: string;
  /** The closest column, if any. */
  readonly column: string | undefined;
}

/** What a model and a table reveal about a new job. The rest stays open, with candidates. */
export interface Proposal {
  readonly key: Column | undefined;
  readonly keyCandidates: readonly string[];
  /** The column that decides the window; undefined if the table has none or several. */
  readonly time: Column | undefined;
  readonly timeCandidates: readonly Column[];
  /** Columns that feed features, without duplicates. */
  readonly features: readonly Column[];
  readonly open: readonly OpenFeature[];
  /** Names of all other columns. */
  readonly others: readonly string[];
}

/** Types that may be keys, because their values compare exactly. */
const KEY_TYPES: readonly string[] = ['integer', 'decimal', 'string', 'uuid'];
const TIME_TYPES: readonly string[] = ['date', 'datetime', 'timestamp'];

/** @param table last part of the table's name; keys are often named after it */
export function propose(signature: Signature, schema: Schema, table: string): Proposal {
  const usable = schema.filter(({ name }) => !name.toLowerCase().startsWith('score_batch_'));
  const found = featuresOf(signature).map(({ feature, dtype }) => {
    const column = findColumn(usable, feature.name);
    if (column !== undefined && accepts(dtype, column)) return { column };
    const near = nearest(
      feature.name,
      usable.map(({ name }) => name),
    );
    const open: OpenFeature =
      column === undefined
        ? { name: feature.name, dtype, why: 'the table has no such column', column: near }
        : {
            name: feature.name,
            dtype,
            why: `the column is ${column.native}: ${castHint(column, feature)}`,
            column: column.name,
          };
    return { open };
  });
  const features = [...new Set(found.flatMap(({ column }) => column ?? []))];
  const { key, keyCandidates } = proposeKey(usable, features, table);
  const timeCandidates = usable.filter((column) => TIME_TYPES.includes(column.type) && !features.includes(column));
  const time = timeCandidates.length === 1 ? timeCandidates[0] : undefined;
  const taken = [key, time, ...features];
  return {
    key,
    keyCandidates,
    time,
    timeCandidates,
    features,
    open: found.flatMap(({ open }) => open ?? []),
    others: usable.filter((column) => !taken.includes(column)).map(({ name }) => name),
  };
}

/** The column named `id` or after the table; otherwise the only one with a key's name. */
function proposeKey(
  schema: Schema,
  features: readonly Column[],
  table: string,
): { key: Column | undefined; keyCandidates: readonly string[] } {
  const reserved = [...RESERVED_COLUMNS, ...RESERVED_FOR_KEYS];
  const candidates = schema.filter(
    (column) =>
      KEY_TYPES.includes(column.type) &&
      (/(^|_)(id|key|uuid)$/i.test(column.name) || /[a-z](Id|ID|Key)$/.test(column.name)) &&
      !features.includes(column) &&
      !reserved.includes(column.name.toLowerCase()),
  );
  const singular = table.toLowerCase().replace(/s$/, '');
  const own = candidates.find(({ name }) =>
    ['id', `${singular}_id`, `${singular}s_id`, `${singular}id`].includes(name.toLowerCase()),
  );
  const key = own ?? (candidates.length === 1 ? candidates[0] : undefined);
  return { key, keyCandidates: candidates.map(({ name }) => name) };
}

import { type Column, findColumn, type Schema } from '../domain/schema.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';

/** An optional column with the time at which an outcome was observed. */
const OBSERVED_AT = 'observed_at';

/** Columns of the query of labels by role. */
export interface LabelColumns {
  /** In the order of `source.key`. */
  readonly key: readonly Column[];
  readonly outcome: Column;
  readonly treated: Column | undefined;
  readonly observedAt: Column | undefined;
}

/**
 * Finds the columns of the query of labels, and compares its key with that of the published scores.
 *
 * @param schema of the query of labels
 * @param published columns of the scores table
 * @throws ScoreBatchError `configuration` if a column is missing or has an unsuitable type
 */
export function labelColumns(
  { source, labels }: JobDefinition,
  schema: Schema,
  published: readonly Pick<Column, 'name' | 'type' | 'digits'>[],
): LabelColumns {
  const key = source.key.map((name) => {
    const column = named(schema, name, 'source.key');
    const other = published.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (other === undefined) throw new Error(`the key column ${name} is not published`);
    if (kindOf(column) === kindOf(other)) return column;
    throw new ScoreBatchError(
      'configuration',
      `the key column ${name} is ${column.native} in the query of labels, but ${other.type} in the published scores`,
      { hint: `cast it in the query of labels, so that equal keys compare equal` },
    );
  });
  const outcome = named(schema, labels?.outcome ?? 'outcome', 'labels.outcome');
  if (!OUTCOMES.includes(outcome.type)) throw wrongType(outcome, 'the outcome', 'a boolean, or an integer of 0 and 1');
  const treated = labels?.treated === undefined ? undefined : named(schema, labels.treated, 'labels.treated');
  if (treated !== undefined && treated.type !== 'bool') throw wrongType(treated, 'the treatment', 'a boolean');
  const observedAt = findColumn(schema, OBSERVED_AT);
  if (observedAt !== undefined && !TIMES.includes(observedAt.type))
    throw wrongType(observedAt, 'the time of the outcome', 'a date or a time');
  return { key, outcome, treated, observedAt };
}

const OUTCOMES: readonly Column['type'][] = ['bool', 'integer', 'decimal'];
const TIMES: readonly Column['type'][] = ['date', 'datetime', 'timestamp'];

/** The same for types whose equal values have the same canonical text. Warehouses store integers in different ways. */
function kindOf({ type }: Pick<Column, 'type'>): string {
  return type === 'integer' || type === 'decimal' ? 'number' : type === 'uuid' ? 'string' : type;
}

function named(schema: Schema, name: string, where: string): Column {
  const column = findColumn(schema, name);
  if (column) return column;
  throw new ScoreBatchError('configuration', `${where} names ${name}, but the query of labels has no such column`, {
    hint: `its columns are ${schema.map((other) => other.name).join(', ')}`,
  });
}

function wrongType({ name, native }: Column, what: string, wanted: string): ScoreBatchError {
  return new ScoreBatchError(
    'configuration',
    `the column ${name} of the query of labels is ${native}, but ${what} must be ${wanted}`,
    {
      hint: 'cast it in the query',
    },
  );
}

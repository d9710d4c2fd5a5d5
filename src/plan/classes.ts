import { classColumn, classColumns, LABEL_COLUMN, type PublishedClasses } from '../domain/class-columns.ts';
import { counted } from '../domain/counted.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';

/** Each class is a column, and an array with each scored chunk. */
const MAX_CLASSES = 100;
/** Snowflake's limit, the lowest: BigQuery allows 300, and DuckDB any number. */
const MAX_CHARACTERS = 255;

const OTHERWISE = 'or publish one of the classes with score.class instead of score.classes';

/**
 * The columns that the job publishes for the classes of its bundle.
 *
 * @returns undefined without `score.classes: all`
 * @throws ScoreBatchError `configuration` if two columns would have the same name in any warehouse, or there are too many
 */
export function planClasses(definition: JobDefinition, { folder, signature }: Bundle): PublishedClasses | undefined {
  const { classes } = signature;
  const { score, source, sink } = definition;
  if (score.classes === undefined || classes === undefined) return undefined;
  const { labels } = classes;
  if (labels.length > MAX_CLASSES) {
    throw new ScoreBatchError('configuration', `the bundle ${folder} has ${counted(labels.length, 'class', 'classes')}`, {
      hint: `score.classes: all publishes at most ${MAX_CLASSES}; publish one of them with score.class instead of score.classes`,
    });
  }
  const long = labels.find((label) => classColumn(label).length > MAX_CHARACTERS);
  if (long !== undefined) {
    throw new ScoreBatchError(
      'configuration',
      `the class ${long.slice(0, 40)}… would be a column with a name of more than ${MAX_CHARACTERS} characters`,
      { hint: `shorten the labels of the model, ${OTHERWISE}` },
    );
  }
  // Warehouses ignore case, or may do so.
  const taken = new Map<string, string>([
    ...source.key.map((name) => [name.toLowerCase(), `the key column ${name}`] as const),
    ...sink.keep.map((name) => [name.toLowerCase(), `the kept column ${name}`] as const),
    [score.column.toLowerCase(), 'score.column'] as const,
  ]);
  const own = [
    { name: LABEL_COLUMN, what: 'the predicted class' },
    ...labels.map((label) => ({ name: classColumn(label), what: `the class ${label}` })),
  ];
  for (const { name, what } of own) {
    const other = taken.get(name);
    taken.set(name, what);
    if (other === undefined) continue;
    throw new ScoreBatchError('configuration', `the column ${name} would be both ${other} and ${what}`, {
      hint: other.startsWith('the class')
        ? `column names are the labels in lower case, with only letters, digits and _: rename a label of the model, ${OTHERWISE}`
        : `rename the column of the query or score.column, ${OTHERWISE}`,
    });
  }
  return { ...classes, columns: classColumns(labels), score: score.class === undefined ? undefined : signature.output.index };
}

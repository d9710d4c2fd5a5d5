import type { Column } from './schema.ts';
import type { Classes } from './signature.ts';

/** Column with the predicted class, published for `score.classes: all`. */
export const LABEL_COLUMN = 'label';

/** Published columns of the classes: they follow the kept ones, in the tables and in staging. */
export interface PublishedClasses extends Classes {
  /** `LABEL_COLUMN`, then the probability of each class in the order of `labels`. */
  readonly columns: readonly Column[];
  /** Index of the class that is the score; undefined if it is the predicted class of each row. */
  readonly score: number | undefined;
}

/**
 * Column with the probability of a class: `p_` and the label in lower case, with each run of characters that not every
 * warehouse accepts in a name replaced by one `_`.
 */
export function classColumn(label: string): string {
  return `p_${label.toLowerCase().replace(/[^a-z0-9_]+/g, '_')}`;
}

/** The columns of `PublishedClasses`. */
export function classColumns(labels: readonly string[]): Column[] {
  return [
    { name: LABEL_COLUMN, type: 'string', native: 'VARCHAR' },
    ...labels.map((label): Column => ({ name: classColumn(label), type: 'decimal', native: 'DECIMAL(7,6)', digits: [7, 6] })),
  ];
}

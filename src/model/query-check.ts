import { type Column, findColumn, type Schema } from '../domain/schema.ts';
import { accepts, featuresOf, type Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { nearest } from '../suggest.ts';
import { castHint } from './cast-hint.ts';

/**
 * Finds the column of the query that feeds each feature.
 *
 * @param renames feature → column, for names that differ
 * @returns columns in the order of `featuresOf(signature)`
 * @throws ScoreBatchError `configuration` with all features that are missing or have the wrong type
 */
export function featureColumns(signature: Signature, schema: Schema, renames: Readonly<Record<string, string>>): Column[] {
  const features = featuresOf(signature);
  const details: string[] = [];
  for (const name of Object.keys(renames)) {
    if (!features.some(({ feature }) => feature.name === name))
      details.push(`features renames ${name}, which the model does not have`);
  }
  const columns = features.flatMap(({ feature, dtype }) => {
    const name = (Object.hasOwn(renames, feature.name) && renames[feature.name]) || feature.name;
    const column = findColumn(schema, name);
    if (column === undefined) {
      const near = nearest(
        name,
        schema.map((other) => other.name),
      );
      details.push(
        `the query has no column ${name} for the model${near === undefined ? '' : `; rename ${near} under features?`}`,
      );
    } else if (!accepts(dtype, column)) {
      details.push(`${column.name} is ${column.native} and the model takes ${dtype}: ${castHint(column, feature)}`);
    }
    return column ?? [];
  });
  if (details.length === 0) return columns;
  throw new ScoreBatchError('configuration', 'the query does not provide what the model needs', {
    details,
    hint: '`score-batch model inspect FOLDER` prints the columns that a model needs',
  });
}

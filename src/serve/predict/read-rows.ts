import { featuresOf } from '../../domain/signature.ts';
import { type Cells, createCells } from '../cells.ts';
import type { OnlineModel } from '../online-model.ts';
import { collectBrought, type Lacking } from './brought.ts';

import { collectProblems, nearestHint, shownName } from './problems.ts';

/** Rows of a request, from `JSON.parse`. */
export interface GivenRows {
  /** Their key in the request: `rows` */
  readonly key: string;
  readonly list: readonly unknown[];
  /** Whether a row may also be a list of values in feature order. */
  readonly lists: boolean;
  /** Most characters of a string. */
  readonly text: number;
}

/** Rows as cells, and what to look up before scoring. */
export interface RowsRead {
  readonly cells: Cells;
  /** Undefined if requests bring all features. */
  readonly lacking: Lacking | undefined;
}

/** A model's features by name. A Map, because a feature may be called `constructor`. */
interface Known {
  readonly features: ReturnType<typeof featuresOf>;
  readonly names: readonly string[];
  readonly positions: ReadonlyMap<string, number>;
}

const KNOWN = new WeakMap<OnlineModel, Known>();

/**
 * Converts rows to columns in feature order. A missing key is null, or is looked up: then the row must have the lookup keys.
 *
 * @throws ServeFailure `invalid` if a row has an unknown field or a value of another type; lists the first 20
 */
export function readRows(model: OnlineModel, { key, list, lists, text }: GivenRows): RowsRead {
  const { features, names, positions } = knownOf(model);
  const cells = createCells({ features, rows: list.length, text });
  const problems = collectProblems();
  const brought = model.features && collectBrought(model.features, { rows: list.length, text });
  const keyNames = model.features?.keys.map(({ name }) => name) ?? [];
  for (let row = 0; row < list.length; row += 1) {
    const given = list[row];
    if (lists && Array.isArray(given)) {
      if (given.length !== names.length) {
        problems.add(
          () => `${key}[${row}] has ${given.length} values`,
          () => `${model.name} has ${names.length} features`,
        );
        continue;
      }
      for (let i = 0; i < given.length; i += 1) {
        brought?.feature(row, i);
        const wrong = cells.write(i, row, given[i]);
        if (wrong !== undefined) problems.add(() => `${key}[${row}][${i}] (${names[i]}) ${wrong}`);
      }
    } else if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
      // The object comes from JSON.parse, so it inherits nothing enumerable.
      for (const name in given) {
        const position = positions.get(name);
        const value = (given as Record<string, unknown>)[name];
        const ofKey = brought?.key(row, name, value);
        if (ofKey?.wrong !== undefined) problems.add(() => `${key}[${row}]${member(name)} ${ofKey.wrong}`);
        if (position === undefined && ofKey?.isKey) continue;
        if (position === undefined) {
          problems.add(
            () => `${key}[${row}] has the unknown field ${shownName(name)}`,
            () => nearestHint(name, [...names, ...keyNames]),
          );
        } else {
          brought?.feature(row, position);
          const wrong = cells.write(position, row, value);
          if (wrong !== undefined) problems.add(() => `${key}[${row}]${member(name)} ${wrong}`);
        }
      }
    } else {
      const what = lists ? 'an object, or a list of values' : 'an object';
      problems.add(
        () => `${key}[${row}] must be ${what}`,
        () => 'send a value for each feature',
      );
    }
  }
  const lacking = brought?.lacking((row, name) => {
    problems.add(
      () => `${key}[${row}] has no ${name}`,
      () => `send ${keyNames.join(', ')} to look up the features, or send every feature`,
    );
  });
  problems.check();
  return { cells, lacking };
}

/** `.sepal_length`, or `["sepal length"]` for a name that is not an identifier. */
function member(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${shownName(name)}]`;
}

function knownOf(model: OnlineModel): Known {
  const found = KNOWN.get(model);
  if (found !== undefined) return found;
  const features = featuresOf(model.bundle.signature);
  const names = features.map(({ feature }) => feature.name);
  const known = { features, names, positions: new Map(names.map((name, i) => [name, i])) };
  KNOWN.set(model, known);
  return known;
}

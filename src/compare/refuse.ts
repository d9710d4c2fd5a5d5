import type { TableColumn } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';

interface KeyOfSide {
  readonly name: string;
  readonly key: readonly TableColumn[];
}

/** @throws ScoreBatchError `configuration` if the keys have other columns, or values that cannot be equal */
export function refuseOtherKeys(a: KeyOfSide, b: KeyOfSide): void {
  if (keyText(a.key) === keyText(b.key)) return;
  throw new ScoreBatchError(
    'configuration',
    `${a.name} has the key ${showKey(a.key)}, but ${b.name} has ${showKey(b.key)}, so their users cannot be matched`,
    { hint: 'run one of them again with the key of the other, then compare again' },
  );
}

/** @throws ScoreBatchError `configuration` if the score columns have different names, and so may mean different things */
export function refuseOtherScores(
  a: { readonly name: string; readonly score: string },
  b: { readonly name: string; readonly score: string },
): void {
  if (a.score.toLowerCase() === b.score.toLowerCase()) return;
  throw new ScoreBatchError(
    'configuration',
    `${a.name} has its scores in the column ${a.score}, but ${b.name} has them in ${b.score}`,
    {
      hint: 'columns with different names may hold different kinds of score; run one of them again with the score.column of the other',
    },
  );
}

/** @throws ScoreBatchError `configuration` if the scores are probabilities of different classes */
export function refuseOtherClasses(
  a: { readonly name: string; readonly scoreClass: string | null | undefined },
  b: { readonly name: string; readonly scoreClass: string | null | undefined },
): void {
  // A model without classes may predict the same as one of the classes.
  if (a.scoreClass === undefined || b.scoreClass === undefined || a.scoreClass === b.scoreClass) return;
  const [ofA, ofB] = [a, b].map(({ scoreClass }) => scoreClass ?? 'the predicted class');
  throw new ScoreBatchError(
    'configuration',
    `the scores of ${a.name} are the probability of ${ofA}, but those of ${b.name} are the probability of ${ofB}`,
    { hint: 'run one of them again with the score.class of the other, then compare again' },
  );
}

function keyText(key: readonly TableColumn[]): string {
  return JSON.stringify(key.map((column) => [column.name.toLowerCase(), kindOf(column)]));
}

function showKey(key: readonly TableColumn[]): string {
  return key.map(({ name, type }) => `${name} (${type})`).join(', ');
}

/** The same for types whose equal values have the same canonical text; warehouses store integers in different ways. */
function kindOf({ type }: TableColumn): string {
  return type === 'integer' || type === 'decimal' ? 'number' : type === 'uuid' ? 'string' : type;
}

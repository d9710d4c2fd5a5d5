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
    `${a.name} has the key ${showKey(a.key)}, but ${b.name} has ${showKey(b.key)}, so no user of one can be found in the other`,
    { hint: 'run one of them again with the key of the other, then compare' },
  );
}

/** @throws ScoreBatchError `configuration` if the scores are in columns of other names, so they may say different things */
export function refuseOtherScores(
  a: { readonly name: string; readonly score: string },
  b: { readonly name: string; readonly score: string },
): void {
  if (a.score.toLowerCase() === b.score.toLowerCase()) return;
  throw new ScoreBatchError('configuration', `${a.name} has its scores in the column ${a.score}, but ${b.name} in ${b.score}`, {
    hint: 'scores of different names may say different things; run one of them again with the score.column of the other',
  });
}

function keyText(key: readonly TableColumn[]): string {
  return JSON.stringify(key.map(({ name, type }) => [name.toLowerCase(), type]));
}

function showKey(key: readonly TableColumn[]): string {
  return key.map(({ name, type }) => `${name} (${type})`).join(', ');
}

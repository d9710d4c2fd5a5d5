import type { PublishedClasses } from '../domain/class-columns.ts';
import { ScoreBatchError } from '../errors.ts';
import { millionthsOf, refuseScore } from '../features/score-rule.ts';
import type { BatchedSession } from '../runtime/batches.ts';
import type { InputTensor, OutputTensor } from '../runtime/session.ts';

/** A model's output per class and row; ignored for rejected rows. */
export interface ClassScores {
  /** Index of the predicted class. */
  readonly label: Int32Array;
  /** Millionths, an array per class. */
  readonly probabilities: readonly Int32Array[];
  /** Millionths: the probabilities of the class chosen as the score, or of the predicted class. */
  readonly scores: Int32Array;
}

/** @param rows of the chunk */
export function emptyClassScores({ labels, score }: PublishedClasses, rows: number): ClassScores {
  const probabilities = labels.map(() => new Int32Array(rows));
  const scores = (score !== undefined && probabilities[score]) || new Int32Array(rows);
  return { label: new Int32Array(rows), probabilities, scores };
}

/** Where to put the scores of a batch. */
interface Target {
  readonly into: ClassScores;
  readonly rejected: Int32Array;
  /** Index of the batch's first row in both. */
  readonly start: number;
}

export type ScoreClasses = (
  session: Pick<BatchedSession, 'runParts'>,
  inputs: readonly InputTensor[],
  target: Target,
) => Promise<void>;

/**
 * Each probability is rounded once, here. A row with one that is not between 0 and 1 is rejected, as online: it is set in
 * `rejected` if that is still 0. The label is the model's own if the bundle names that output, else the most probable class.
 *
 * @throws ScoreBatchError `configuration` if outputs have other shapes or a label that `model.yaml` does not list
 */
export function createScoreClasses({ label, probabilities, labels, score }: PublishedClasses): ScoreClasses {
  const names = label === undefined ? [probabilities] : [probabilities, label];
  const places = new Map(labels.map((name, place) => [name, place]));
  const width = labels.length;
  const predicted = (values: OutputTensor['values'], rows: number, row: number): number => {
    const name = String(values[row]);
    const place = places.get(name);
    if (place !== undefined && values.length === rows) return place;
    throw new ScoreBatchError('configuration', `the output ${label} does not give one of the labels in model.yaml per row`, {
      details: [values.length === rows ? `it gave ${name}` : `it gave ${values.length} values for ${rows} rows`],
      hint: 'labels under output in model.yaml are the classes of the model, in its order',
    });
  };
  return async (session, inputs, { into, rejected, start }) => {
    await session.runParts(inputs, names, ([numbers, own], from, rows, all) => {
      const values = numbers?.values;
      if (!(values instanceof Float32Array || values instanceof Float64Array) || values.length !== all * width) {
        throw new ScoreBatchError('configuration', `the output ${probabilities} does not give ${width} probabilities per row`, {
          hint: 'labels under output in model.yaml are the classes of the model, in its order',
        });
      }
      for (let row = 0, at = 0, to = start + from; row < rows; row += 1, at += width, to += 1) {
        let most = 0;
        for (let place = 0; place < width; place += 1) {
          const value = values[at + place] as number;
          const rounded = millionthsOf(value);
          const refused = refuseScore(rounded);
          if (refused === 0) (into.probabilities[place] as Int32Array)[to] = rounded;
          else rejected[to] ||= refused;
          if (value > (values[at + most] as number)) most = place;
        }
        if (rejected[to] !== 0) continue;
        const place = own === undefined ? most : predicted(own.values, all, row);
        into.label[to] = place;
        if (score === undefined) into.scores[to] = (into.probabilities[place] as Int32Array)[to] as number;
      }
    });
  };
}

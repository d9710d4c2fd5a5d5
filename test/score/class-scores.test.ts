import { expect, it } from 'vitest';
import { classColumns, type PublishedClasses } from '../../src/domain/class-columns.ts';
import { readRejection } from '../../src/features/rejection.ts';
import type { BatchedSession } from '../../src/runtime/batches.ts';
import type { OutputTensor } from '../../src/runtime/session.ts';
import { createScoreClasses, emptyClassScores } from '../../src/score/class-scores.ts';

const LABELS = ['0', '1', '2'];
const CLASSES: PublishedClasses = {
  ...{ label: 'label', probabilities: 'probabilities', labels: LABELS },
  ...{ columns: classColumns(LABELS), score: undefined },
};

/** A session in place of ONNX Runtime's that answers these outputs, in parts of two rows. */
function answering(
  probabilities: readonly (readonly number[])[],
  labels: OutputTensor['values'],
): Pick<BatchedSession, 'runParts'> {
  return {
    async runParts(_, names, take) {
      for (let from = 0; from < probabilities.length; from += 2) {
        const rows = Math.min(2, probabilities.length - from);
        // The part is padded to two rows.
        const part = [from, Math.min(from + 1, probabilities.length - 1)];
        const values = Float64Array.from(part.flatMap((row) => probabilities[row] ?? []));
        const own = { values: part.map((row) => String(labels[row])), shape: [2] };
        const outputs = { probabilities: { values, shape: [2, values.length / 2] }, label: own };
        take(
          names.map((name) => outputs[name as keyof typeof outputs]),
          from,
          rows,
          2,
        );
      }
    },
  };
}

async function score(classes: PublishedClasses, rows: readonly (readonly number[])[], labels: OutputTensor['values'] = []) {
  const into = emptyClassScores(classes, rows.length + 1);
  const rejected = new Int32Array(rows.length + 1);
  rejected[1] = 1;
  await createScoreClasses(classes)(answering(rows, labels), [], { into, rejected, start: 1 });
  const scored = [...rejected.keys()].slice(1).filter((row) => rejected[row] === 0);
  const rowOf = (row: number) => [into.label[row], into.scores[row], ...into.probabilities.map((values) => values[row])];
  return { scored: scored.map(rowOf), rejected: [...rejected].map((code) => (code === 0 ? '' : readRejection(code).reason)) };
}

const ROWS = [
  [0.1, 0.2, 0.7],
  [0.1, 0.2, 0.7],
  [0.5, 0.5, 0],
  [Number.NaN, 0.5, 0.5],
  [0.3, 1.1, 0.1],
  [-1e-8, 0.4, 0.60000004],
];

it('takes the label that the model gives, rounds each probability once, and rejects a row for any of them', async () => {
  const integers = BigInt64Array.from([2n, 1n, 1n, 0n, 0n, 2n]);
  expect(await score(CLASSES, ROWS, integers)).toEqual({
    scored: [
      // The first row was rejected before; the next has a label that is not the most probable.
      [1, 200_000, 100_000, 200_000, 700_000],
      [1, 500_000, 500_000, 500_000, 0],
      [2, 600_000, 0, 400_000, 600_000],
    ],
    rejected: ['', 'null in a required feature', '', '', 'score is not a finite number', 'score outside 0 to 1', ''],
  });
});

it('takes the most probable class, the first of equal ones, if the bundle names no label; the score can be one class', async () => {
  const { scored } = await score({ ...CLASSES, label: undefined, score: 1 }, ROWS);
  expect(scored.map(([label, value]) => [label, value])).toEqual([
    [2, 200_000],
    [0, 500_000],
    [2, 400_000],
  ]);
});

it('refuses outputs that are not what model.yaml says', async () => {
  await expect(score(CLASSES, ROWS, ['0', '7', '0', '0', '0', '0'])).rejects.toMatchObject({
    ...{ kind: 'configuration', message: 'the output label does not give one of the labels in model.yaml per row' },
    details: ['it gave 7'],
  });
  await expect(score(CLASSES, [[0.5, 0.5]], ['0'])).rejects.toThrow('does not give 3 probabilities per row');
});

import { expect, it } from 'vitest';
import type { Predictions } from '../../../src/model/predictions.ts';
import { predictAnswer, v1Answer } from '../../../src/serve/predict/answer.ts';
import { loaded } from '../score/loaded.ts';
import { CHURN } from '../served.ts';

it('keeps the sign of -0, as the Open Inference Protocol does', async () => {
  const model = await loaded(CHURN);
  const predictions: Predictions = {
    rows: 2,
    values: Float32Array.of(-0, 0),
    width: 1,
    labels: undefined,
    rejected: new Int32Array(2),
  };
  expect(predictAnswer(model, predictions)).toContain('"predictions":[{"score":-0},{"score":0}]');
  expect(v1Answer(model, predictions)).toBe('{"predictions":[-0,0]}');
  const classes = ['a', 'b'];
  expect(v1Answer({ ...model, classes }, { ...predictions, rows: 1, width: 2, rejected: new Int32Array(1) })).toBe(
    '{"predictions":[[-0,0]]}',
  );
});

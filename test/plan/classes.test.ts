import { expect, it } from 'vitest';
import { parseJob } from '../../src/job/parse.ts';
import type { Bundle } from '../../src/model/bundle.ts';
import { planClasses } from '../../src/plan/classes.ts';

function planned(labels: readonly string[], { key = 'id', keep = '' } = {}) {
  const text = `name: iris
model: model
time_zone: UTC
source: { warehouse: "duckdb:w.duckdb", query: select 1, key: [${key}] }
score: { classes: all }
sink: { table: m.scores, layout: narrow, keep: [${keep}] }
`;
  const definition = parseJob(text, 'job.yaml', {});
  const signature = { inputs: [], output: { name: 'p', index: 0 }, classes: { label: undefined, probabilities: 'p', labels } };
  return planClasses(definition, { folder: 'model', signature } as unknown as Bundle);
}

it('names columns in a way that every warehouse takes', () => {
  const names = planned(['Setosa', "it's 50 % é", 'a.b', '1', '_x'])?.columns.map(({ name }) => name);
  expect(names).toEqual(['label', 'p_setosa', 'p_it_s_50_', 'p_a_b', 'p_1', 'p__x']);
});

it('refuses two columns of one name, names that are too long, and too many', () => {
  expect(() => planned(['a b', 'a-b'])).toThrow('the column p_a_b would be both the class a b and the class a-b');
  expect(() => planned(['x', 'X'])).toThrow('the column p_x would be both the class x and the class X');
  expect(() => planned(['x', 'y'], { keep: 'P_Y' })).toThrow('both the kept column P_Y and the class y');
  expect(() => planned(['x', 'y'], { key: 'LABEL' })).toThrow('both the key column LABEL and the predicted class');
  expect(planned(['x', 'l'.repeat(253)])?.columns).toHaveLength(3);
  expect(() => planned(['x', 'l'.repeat(254)])).toThrow('a name of more than 255 characters');
  const many = Array.from({ length: 101 }, (_, i) => String(i));
  expect(() => planned(many)).toThrow('the bundle model has 101 classes');
  expect(planned(many.slice(1))?.columns).toHaveLength(101);
});

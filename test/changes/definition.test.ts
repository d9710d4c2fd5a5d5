import { expect, it } from 'vitest';
import { definitionChanges, showBands } from '../../src/changes/definition.ts';
import { parseJob } from '../../src/job/parse.ts';
import { recordDefinition } from '../../src/job/recorded-definition.ts';

const JOB = `name: churn
model: model
time_zone: Europe/Berlin
source: { warehouse: "duckdb:w.duckdb", query: select 1, key: [id] }
sink: { table: marketing.scores }
`;
const recorded = (more = '', job = JOB) => recordDefinition(parseJob(`${job}${more}`, 'job.yaml', {}));
const renames = (count: number, last = 'x') =>
  `features: { ${Array.from({ length: count }, (_, i) => `feature_${i}: column_${i}${i === count - 1 ? last : ''}`).join(', ')} }\n`;

it('names the keys that have changed, were added or are gone, by the values that count', () => {
  const before = recorded('gates: { max_drop: 50% }\n');
  expect(definitionChanges(before, before)).toEqual([]);
  expect(
    definitionChanges(before, recorded('gates: { max_null_share: { a: 10% }, min_rows: 1 }\nfeatures: { a: b }\n')),
  ).toEqual([
    { key: 'features.a', before: null, after: '"b"' },
    { key: 'gates.max_null_share.a', before: null, after: '0.1' },
    { key: 'gates.max_drop', before: '0.5', after: null },
  ]);
});

it('leaves out the URLs of warehouses, and users and passwords of any other URL', () => {
  const text = JSON.stringify(
    recorded(
      'description: see https://jo:hunter2@example.org/x\n',
      JOB.replace('duckdb:w.duckdb', 'snowflake://account/DATABASE/SCHEMA?role=R'),
    ),
  );
  expect(text).toContain('see https://example.org/x');
  expect(text).not.toMatch(/hunter2|snowflake|DATABASE/);
});

it('stays small whatever is in the job file, and still tells that a long section has changed', () => {
  const many = recorded(renames(400));
  expect(JSON.stringify(many).length).toBeLessThan(9_000);
  expect(many['gates.min_rows']).toBe('1');
  expect(many.features).toMatch(/^sha256:[0-9a-f]{16}$/);
  expect(JSON.stringify(recorded(`description: ${'long '.repeat(10_000)}\n`)).length).toBeLessThan(9_000);
  expect(definitionChanges(many, recorded(renames(400)))).toEqual([]);
  expect(definitionChanges(many, recorded(renames(400, 'y'))).map(({ key }) => key)).toEqual(['features']);
  // A section that was short and is long now, or the other way round.
  expect(definitionChanges(recorded(renames(2)), many).map(({ key }) => key)).toEqual(['features']);
  expect(definitionChanges(many, recorded(renames(2))).map(({ key }) => key)).toEqual(['features']);
});

it('shows bands as the job file has them', () => {
  expect(showBands(recorded())).toBe('high top 10 %, medium top 30 %');
  expect(showBands(recorded('score: { bands: { sure: 0.95, high: 0.5 } }\n'))).toBe('sure from 0.95, high from 0.5');
  expect(showBands({})).toBeUndefined();
});

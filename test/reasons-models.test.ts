import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { readTreeModel } from '../src/explain/tree-ensemble.ts';
import { loadBundle } from '../src/model/bundle.ts';
import { bruteForce, rawOutput } from './explain/brute-force.ts';
import { strongest } from './support/explained-project.ts';
import { makeProject, repository } from './support/project.ts';
import { rowsOf } from './support/published.ts';
import { scoreBatch } from './support/score-batch.ts';

// Reasons in whole runs of a network and of a tree ensemble, against their definitions.

const digest = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

it('of the demo are those that the network itself gives by occlusion', async () => {
  const file = (name: string) => readFile(repository('jobs', name), 'utf8');
  const folder = await makeProject({
    warehouse: [
      `create table orders as select * from read_csv('${repository('data/cdnow/transactions.csv')}',
         columns = {customer_id: 'bigint', date: 'date', cds: 'integer', amount: 'decimal(10,2)'})`,
    ],
    job: (await file('churn-weekly.yaml')).replace('model: models/churn', 'model: model').replace('top: 500', 'top: 50'),
    model: repository('models/churn'),
    files: { 'jobs/new_users.sql': await file('new_users.sql'), 'jobs/outcomes.sql': await file('outcomes.sql') },
  });
  const { code, stderr } = await scoreBatch(folder, ['--week', '-q']);
  expect(code, stderr).toBe(0);

  const { definition } = await loadBundle(repository('models/churn'));
  const features = definition.inputs.flatMap(({ columns }) => columns);
  const session = await InferenceSession.create(repository('models/churn/model.onnx'));
  const score = async (rows: readonly (readonly number[])[]) => {
    const input = new Tensor('float32', Float32Array.from(rows.flat()), [rows.length, features.length]);
    const { probabilities } = await session.run({ features: input });
    return rows.map((_, i) => Number(probabilities?.data[2 * i + 1]));
  };
  const cells = parse(await readFile(repository('models/churn/baseline.csv'), 'utf8'), { columns: true }) as Record<
    string,
    string
  >[];
  const baseline = cells.map((row) => features.map(({ name }) => Number(row[name] || 0)));
  const usual = features.map(({ name }, j) => {
    const values = cells.filter((row) => row[name] !== '').map((row) => Number(row[name]));
    const [median, mean] = [
      values.sort((a, b) => a - b)[(values.length - 1) >> 1] ?? 0,
      values.reduce((sum, value) => sum + value, 0) / values.length,
    ];
    return { j, median: short(median), mean: short(mean) };
  });
  const query = (await file('new_users.sql'))
    .replaceAll(':window_start_date', "date '1997-03-10'")
    .replaceAll(':window_end_date', "date '1997-03-17'");
  const rows = await rowsOf(
    folder,
    `select * from marketing.churn_scores s join (${query.replace(/;\s*$/, '')}) q using (customer_id) order by rank`,
  );
  expect(rows).toHaveLength(2053);
  expect(
    rows.slice(50).every(({ reason_1, reason_2, reason_3 }) => reason_1 === null && reason_2 === null && reason_3 === null),
  ).toBe(true);
  for (const row of rows.slice(0, 50)) {
    const own = features.map(({ name }) => Number(row[name] ?? 0));
    const values: number[] = [];
    for (const [j] of features.entries()) {
      const [same = 0] = await score([own]);
      const others = await score(baseline.map((other) => own.with(j, other[j] ?? 0)));
      values.push(others.reduce((sum, other) => sum + same - other, 0) / baseline.length);
    }
    const expected = strongest(values, 3).map((j) => {
      const value = row[features[j]?.name ?? ''] === null ? 'no value' : short(own[j] ?? 0);
      const { median, mean } = usual[j] ?? { median: '', mean: '' };
      const others = value === median && mean !== median ? `${median}, on average ${mean}` : median;
      return (features[j]?.reason ?? '').replace('{value}', value).replace('{usual}', others);
    });
    expect([row.reason_1, row.reason_2, row.reason_3], `rank ${row.rank}`).toEqual([...expected, null, null, null].slice(0, 3));
  }
});

/** At most two decimals. */
function short(value: number): string {
  return String(Math.round((value + Number.EPSILON) * 100) / 100);
}

it.each(['never', 'always'])(
  'of a LightGBM model with nulls are the Shapley values of all subsets (source.freeze: %s)',
  async (freeze) => {
    const folder = repository('test/explain/shap/lightgbm');
    const { input, output, background, rows } = JSON.parse(await readFile(`${folder}/expected.json`, 'utf8')) as {
      readonly input: string;
      readonly output: unknown;
      readonly background: readonly (readonly (number | null)[])[];
      readonly rows: readonly (readonly (number | null)[])[];
    };
    const names = ['c0', 'c1', 'c2', 'c3', 'c4'];
    const csv = [names.join(','), ...background.map((row) => row.map((value) => value ?? '').join(',')), ''].join('\n');
    const yaml = {
      name: 'lightgbm',
      version: '1',
      sha256: digest(await readFile(`${folder}/model.onnx`)),
      inputs: [
        {
          name: input,
          dtype: 'float32',
          shape: ['N', 5],
          columns: names.map((name) => ({ name, nullable: true, reason: `${name}={value}` })),
        },
      ],
      output,
      baseline_rows: { sha256: digest(csv) },
    };
    const session = await InferenceSession.create(`${folder}/model.onnx`);
    const given = new Tensor('float32', Float32Array.from(rows.flat().map((value) => value ?? Number.NaN)), [rows.length, 5]);
    const { probabilities } = await session.run({ [input]: given }, ['probabilities']);
    const golden = [
      `${names.join(',')},expected_score`,
      ...rows.map((row, i) => [...row.map((value) => value ?? ''), probabilities?.data[2 * i + 1]].join(',')),
    ];
    // Values of the rows in other combinations, so that there are users enough.
    const users = Array.from({ length: 200 }, (_, i) =>
      names.map((__, j) => rows[(i * (j + 3) + (i >> (j + 1))) % rows.length]?.[j] ?? null),
    );
    const project = await makeProject({
      warehouse: [
        `create table users as select * from (values ${users.map((row, i) => `(${i}, ${row.map((value) => `${value ?? 'null'}::double`).join(', ')})`).join(', ')}) as users(user_id, ${names.join(', ')})`,
      ],
      job: `name: trees
model: model
time_zone: UTC
every: week
source: { warehouse: "duckdb:data/warehouse.duckdb", query_file: jobs/query.sql, key: [user_id], freeze: ${freeze} }
score: { column: propensity, bands: { high: top 10% }, providers: [cpu], reasons: { top: 40, features: 4 } }
sink: { table: marketing.scores }
`,
      model: folder,
      files: {
        'model/model.yaml': JSON.stringify(yaml),
        'model/baseline.csv': csv,
        'model/golden.csv': golden.join('\n'),
        'jobs/query.sql': 'select * from users where :window_start_date < :window_end_date',
      },
    });
    const { code, stderr } = await scoreBatch(project, ['--week', '-q']);
    expect(code, stderr).toBe(0);
    const bundle = await loadBundle(`${project}/model`);
    const model = readTreeModel(await readFile(bundle.file), bundle.signature);
    if ('why' in model) throw new Error(model.why);
    const float = (row: readonly (number | null)[]) => row.map((value) => Math.fround(value ?? Number.NaN));
    const published = await rowsOf(project, 'select * from marketing.scores order by rank');
    for (const { user_id, rank, reason_1, reason_2, reason_3, reason_4 } of published) {
      const own = users[Number(user_id)] ?? [];
      const values = bruteForce((row) => rawOutput(model, row), float(own), background.map(float));
      const expected =
        Number(rank) > 40 ? [] : strongest(values, 4).map((j) => `c${j}=${own[j] === null ? 'no value' : short(own[j] ?? 0)}`);
      expect([reason_1, reason_2, reason_3, reason_4], `rank ${rank}`).toEqual(
        [...expected, null, null, null, null].slice(0, 4),
      );
    }
    expect(published.filter(({ reason_2 }) => reason_2 !== null).length).toBeGreaterThan(30);
    const facts =
      "select details->>'$.reasons.method' as method, details->>'$.reasons.changed' as changed from marketing.score_batch_ledger where state = 'published'";
    expect(await rowsOf(project, facts)).toEqual([{ method: 'shapley', changed: '0' }]);
  },
);

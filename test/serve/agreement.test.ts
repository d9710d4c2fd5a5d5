import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { featuresOf, type Signature } from '../../src/domain/signature.ts';
import { readRejection } from '../../src/features/rejection.ts';
import { seededRandom } from '../../src/random.ts';
import type { Serving } from '../../src/serve/process/serving.ts';
import { makeProject, query, repository, temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { WAREHOUSE } from '../support/steer.ts';
import { batchOfCells, type Cell, randomRows } from './random-batch.ts';
import { CHURN, served } from './served.ts';

// The same rows, asked for online in every way that there is, and scored in the batch by the built command line.

const ROWS = 10_000;

/** What became of a row: its score, or why it has none, in the words of the quarantine. */
type Answer =
  | { readonly values: readonly number[]; readonly label?: string }
  | { readonly reason: string; readonly feature?: string };

/** A way to ask a server for rows. The answers must be the same to the last bit, whichever way it is. */
interface Way {
  readonly name: string;
  /** Most rows of a request; requests are sent at the same time. */
  readonly rows: number;
  ask(serving: Serving, cells: readonly (readonly Cell[])[]): Promise<readonly Answer[]>;
}

const WAYS: readonly Way[] = [{ name: 'score', rows: 70, ask: askModel }];

it.each([
  ['churn', CHURN, {}],
  ['the LightGBM of the bench', repository('bench', 'lgbm'), {}],
  ['texts with unknown categories', repository('bench', 'text'), {}],
])('%s: online and batch agree on 10,000 random rows', async (_, folder) => {
  const serving = await served([folder]);
  const { signature } = modelOf(serving).bundle;
  const cells = randomRows(signature, ROWS, seededRandom(2026));
  const answers = await Promise.all(WAYS.map((way) => askAll(way, serving, cells)));
  for (const [i, { name }] of WAYS.entries()) expect(firstDifference(answers[0] ?? [], answers[i] ?? []), name).toBe(undefined);
  const batch = await scoredInBatch(folder, signature, cells);
  const online = (answers[0] ?? []).map((answer) => ('reason' in answer ? answer : rounded(answer, signature)));
  expect(firstDifference(batch, online)).toBe(undefined);
  // All kinds of answers are among them.
  expect(batch.filter((answer) => 'values' in answer).length).toBeGreaterThan(ROWS / 2);
  expect(new Set(batch.map((answer) => ('reason' in answer ? answer.reason : 'scored'))).size).toBeGreaterThan(1);
});

/** Asks in requests of random sizes, many of one row, up to 40 at a time. */
async function askAll({ rows, ask }: Way, serving: Serving, cells: readonly (readonly Cell[])[]): Promise<Answer[]> {
  const random = seededRandom(rows);
  const answers: Answer[] = [];
  for (let from = 0; from < cells.length; ) {
    const requests: (readonly (readonly Cell[])[])[] = [];
    for (let i = Math.ceil(random() * 40); i > 0 && from < cells.length; i -= 1) {
      const size = random() < 0.5 ? 1 : Math.ceil(random() * rows);
      requests.push(cells.slice(from, from + size));
      from += size;
    }
    answers.push(...(await Promise.all(requests.map((request) => ask(serving, request)))).flat());
  }
  return answers;
}

async function askModel(serving: Serving, cells: readonly (readonly Cell[])[]): Promise<Answer[]> {
  const model = modelOf(serving);
  const features = featuresOf(model.bundle.signature);
  const { rows, values, width, labels, rejected } = await model.score({ batch: batchOfCells(cells, model.kinds) });
  return Array.from({ length: rows }, (_, row) => {
    const label = labels?.[row];
    if (rejected[row] === 0) {
      return { values: [...values.slice(row * width, (row + 1) * width)], ...(label !== undefined && { label }) };
    }
    const { reason, feature } = readRejection(rejected[row] as number);
    const name = feature === undefined ? undefined : features[feature]?.feature.name;
    return { reason, ...(name !== undefined && { feature: name }) };
  });
}

function modelOf(serving: Serving) {
  const [model] = serving.service.models.list();
  if (model === undefined) throw new Error('nothing is served');
  return model;
}

/** What the batch publishes of an answer: one value, rounded once to millionths. */
function rounded({ values }: { readonly values: readonly number[] }, { classes, output }: Signature): Answer {
  const value = values[classes === undefined ? 0 : output.index] ?? Number.NaN;
  return { values: [Math.round(value * 1e6)] };
}

const SQL_TYPES = { float32: 'DOUBLE', float64: 'DOUBLE', int64: 'BIGINT', bool: 'BOOLEAN', string: 'VARCHAR' } as const;

/** Runs the weekly job over a table of the rows, and reads scores and quarantine. @returns one answer per row, in millionths */
async function scoredInBatch(model: string, signature: Signature, cells: readonly (readonly Cell[])[]): Promise<Answer[]> {
  const features = featuresOf(signature);
  const file = path.join(await temporaryFolder(), 'rows.csv');
  const text = (cell: Cell) =>
    cell === null ? '' : typeof cell === 'string' ? `"${cell.replaceAll('"', '""')}"` : String(cell);
  await writeFile(file, cells.map((row, i) => `${[i, ...row.map(text)].join(',')}\n`).join(''));
  const columns = features.map(({ feature, dtype }) => `'${feature.name}': '${SQL_TYPES[dtype]}'`).join(', ');
  const names = features.map(({ feature }) => feature.name).join(', ');
  const folder = await makeProject({
    warehouse: [
      `create table users as from read_csv('${file}', header = false, columns = {'user_id': 'BIGINT', ${columns}})`,
      `alter table users add column signup date default date '1997-03-10'`,
    ],
    model,
    job: JOB,
    files: {
      'jobs/query.sql': `select user_id, ${names} from users where signup >= :window_start_date and signup < :window_end_date`,
    },
  });
  const { code, stderr } = await scoreBatch(folder, ['--week']);
  expect(code, stderr).toBe(0);
  const warehouse = path.join(folder, WAREHOUSE);
  const scores = await query(warehouse, 'select user_id, cast(score * 1000000 as integer) as millionths from scores');
  const rejected = await query(warehouse, 'select user_id, reason, column_name from scores_quarantine');
  const answers: Answer[] = [];
  for (const { user_id, millionths } of scores) answers[Number(user_id)] = { values: [Number(millionths)] };
  for (const { user_id, reason, column_name: feature } of rejected) {
    answers[Number(user_id)] = { reason: String(reason), ...(feature !== null && { feature: String(feature) }) };
  }
  expect(scores.length + rejected.length).toBe(cells.length);
  return answers;
}

const JOB = `name: agreement
model: model
time_zone: UTC
every: week
source:
  warehouse: duckdb:data/warehouse.duckdb
  query_file: jobs/query.sql
  key: [user_id]
score:
  column: score
  bands: { high: 0.7 }
  providers: [cpu]
sink:
  table: scores
gates:
  max_quarantine_rate: 100%
`;

/** The first row of which two lists of answers differ, with both answers; undefined if none does. */
function firstDifference(expected: readonly Answer[], found: readonly Answer[]): unknown {
  const at = expected.findIndex((answer, row) => keyOf(answer) !== keyOf(found[row]));
  if (at >= 0) return { row: at, expected: expected[at], found: found[at] };
  return expected.length === found.length ? undefined : { expected: expected.length, found: found.length };
}

/** Numbers as text, which tells all doubles apart. */
function keyOf(answer: Answer | undefined): string {
  if (answer === undefined) return '';
  return 'reason' in answer
    ? `${answer.reason} ${answer.feature}`
    : [answer.label, ...answer.values.map((value) => `${Object.is(value, -0) ? '-' : ''}${value}`)].join(' ');
}

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { featuresOf, type Signature } from '../../src/domain/signature.ts';
import { seededRandom } from '../../src/random.ts';
import { makeProject, query, repository, temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { WAREHOUSE } from '../support/steer.ts';
import { threeClasses } from '../support/three-classes.ts';
import { type Cell, randomRows } from './random-batch.ts';
import { CHURN, IRIS, served } from './served.ts';
import { type Answer, type Ask, modelOf, WAYS } from './ways.ts';

// The same rows, asked for online in every way that there is, and scored in the batch by the built command line.

const ROWS = 10_000;

// Tens of thousands of requests.
vi.setConfig({ testTimeout: 300_000 });

const [FIRST, ...OTHERS] = WAYS;

/** Reasons that no random row of most models has. */
const OF_SCORES = ['score is not a finite number', 'score outside 0 to 1'];

const MODELS: readonly (readonly [name: string, model: Subject])[] = [
  ['iris', { folder: IRIS, scored: 'virginica' }],
  ['churn', { folder: CHURN }],
  ['the LightGBM of the bench', { folder: repository('bench', 'lgbm') }],
  ['texts with unknown categories', { folder: repository('bench', 'text') }],
  ['a class that is fine where another one is not', { folder: threeClasses, scored: '1', reasons: OF_SCORES }],
];

interface Subject extends Omit<Scored, 'folder'> {
  readonly folder: string | (() => Promise<string>);
  /** Among those of rejected rows. */
  readonly reasons?: readonly string[];
}

interface Scored {
  readonly folder: string;
  /** The class whose probability is the score of the batch, if the bundle has classes. */
  readonly scored?: string;
}

it.each(MODELS)('%s: online in every way and batch agree on 10,000 random rows', async (_, { reasons = [], ...subject }) => {
  const model = { ...subject, folder: typeof subject.folder === 'string' ? subject.folder : await subject.folder() };
  const serving = await served([model.folder], { grpcPort: 0 });
  const { signature } = modelOf(serving).bundle;
  const cells = randomRows(signature, ROWS, seededRandom(2026));
  const online = await askAll(FIRST.open(serving), cells);
  for (const { name, open } of OTHERS) {
    const answers = await askAll(open(serving), cells);
    expect(answers.filter((answer) => answer !== undefined).length, name).toBeGreaterThan(0.7 * ROWS);
    // A row that cannot be asked for in this way has no answer.
    const compared = answers.map((answer, row) => answer ?? online[row]);
    expect(firstDifference(online, compared), name).toBe(undefined);
  }
  const batch = await scoredInBatch(model, signature, cells);
  expect(
    firstDifference(
      batch,
      online.map((answer) => rounded(answer, signature.classes?.labels.indexOf(model.scored ?? ''))),
    ),
  ).toBe(undefined);
  // All kinds of answers are among them.
  expect(batch.filter((answer) => answer && 'values' in answer).length).toBeGreaterThan(ROWS / 2);
  const found = new Set(batch.map((answer) => answer && 'reason' in answer && answer.reason));
  expect(found.size).toBeGreaterThan(1);
  expect([...found]).toEqual(expect.arrayContaining([...reasons]));
});

/** Asks in requests of random sizes, many of one row, up to 40 at a time. */
async function askAll(ask: Ask, cells: readonly (readonly Cell[])[]): Promise<(Answer | undefined)[]> {
  const random = seededRandom(40);
  const answers: (Answer | undefined)[] = [];
  for (let from = 0; from < cells.length; ) {
    const requests: (readonly (readonly Cell[])[])[] = [];
    for (let i = Math.ceil(random() * 40); i > 0 && from < cells.length; i -= 1) {
      const size = random() < 0.5 ? 1 : Math.ceil(random() * 70);
      requests.push(cells.slice(from, from + size));
      from += size;
    }
    answers.push(...(await Promise.all(requests.map(ask))).flat());
  }
  return answers;
}

/** What the batch publishes of an answer: one value, rounded once to millionths. @param index of the class, for several */
function rounded(answer: Answer | undefined, index = 0): Answer | undefined {
  if (answer === undefined || 'reason' in answer) return answer;
  // A decimal has one zero.
  return { values: [Math.round((answer.values[index] ?? Number.NaN) * 1e6) + 0] };
}

const SQL_TYPES = { float32: 'DOUBLE', float64: 'DOUBLE', int64: 'BIGINT', bool: 'BOOLEAN', string: 'VARCHAR' } as const;

/** Runs the weekly job over a table of the rows, and reads scores and quarantine. @returns one answer per row, in millionths */
async function scoredInBatch(
  { folder: model, scored }: Scored,
  signature: Signature,
  cells: readonly (readonly Cell[])[],
): Promise<(Answer | undefined)[]> {
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
    job: scored === undefined ? JOB : JOB.replace('score:\n', `score:\n  class: "${scored}"\n`),
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

// Beyond some thousand rows kernels sum in another order, which moves one of 10,000 rounded scores by a millionth; online, runs
// stay below that.
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
  batch_rows: 4096
sink:
  table: scores
gates:
  max_quarantine_rate: 100%
`;

/** The first row of which two lists of answers differ, with both answers; undefined if none does. */
function firstDifference(expected: readonly (Answer | undefined)[], found: readonly (Answer | undefined)[]): unknown {
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

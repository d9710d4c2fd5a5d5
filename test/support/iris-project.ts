import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { makeProject, repository } from './project.ts';

export interface IrisOptions {
  /** Lines of the section `score`, each with its indentation. */
  readonly score?: string;
  readonly edit?: (job: string) => string;
  readonly files?: Readonly<Record<string, string>>;
}

/** Statement for the table `flowers`: those of test/fixtures/iris, each picked on a day of the week 1997-W11. */
const FLOWERS = `create table flowers as select * exclude (species), date '1997-03-10' + cast(flower_id % 7 as integer) as picked,
  case when flower_id % 2 = 0 then 'north' else 'south' end as bed
  from read_csv('${repository('test/fixtures/iris/flowers.csv')}')`;

const JOB = `name: iris
model: model
time_zone: America/New_York
source:
  warehouse: duckdb:data/warehouse.duckdb
  query: select * from flowers where picked >= :window_start_date and picked < :window_end_date
  key: [flower_id]
score:
  column: probability
  chunk_rows: 40
  providers: [cpu]
sink: { table: garden.flowers, keep: [bed] }
gates: { max_quarantine_rate: 5% }
`;

/** A job that scores the 150 flowers of scikit-learn's iris data with models/iris. */
export function irisProject({ score = '', edit = (job) => job, files = {} }: IrisOptions = {}): Promise<string> {
  return makeProject({
    warehouse: [FLOWERS],
    job: edit(JOB.replace('score:\n', `score:\n${score}`)),
    model: repository('models', 'iris'),
    files,
  });
}

/** `score.classes: all`, in the layout that has columns for them. */
export function allClasses(job: string): string {
  return job.replace('score:\n', 'score:\n  classes: all\n').replace('sink: {', 'sink: { layout: narrow,');
}

/** 1e-6 between the runtimes, and half of the sixth decimal to which the published number is rounded. */
export const TOLERANCE = 1.5e-6;

type Flower = Readonly<Record<'flower_id' | 'label' | 'setosa' | 'versicolor' | 'virginica', string>>;

/** Label and probabilities of each flower from Python's ONNX Runtime, in the order of `flower_id`. */
export async function expectedFlowers(): Promise<Flower[]> {
  return parse(await readFile(repository('test/fixtures/iris/expected.csv'), 'utf8'), { columns: true }) as Flower[];
}

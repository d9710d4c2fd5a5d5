import { readFile } from 'node:fs/promises';
import { makeProject, repository } from './project.ts';

interface DemoOptions {
  readonly edit?: (job: string) => string;
  /** Statements after those that fill the table `orders`. */
  readonly warehouse?: readonly string[];
  /** Text of jobs/outcomes.sql. */
  readonly outcomes?: string;
}

/** The repository's own job, query and model over the CDNOW orders. */
export async function demoProject({ edit = (job) => job, warehouse = [], outcomes }: DemoOptions = {}): Promise<string> {
  const job = await readFile(repository('jobs/churn-weekly.yaml'), 'utf8');
  return await makeProject({
    warehouse: [
      `create table orders as select * from read_csv('${repository('data/cdnow/transactions.csv')}',
         columns = {customer_id: 'bigint', date: 'date', cds: 'integer', amount: 'decimal(10,2)'})`,
      ...warehouse,
    ],
    job: edit(job.replace('model: models/churn', 'model: model')),
    model: repository('models/churn'),
    files: {
      'jobs/new_users.sql': await readFile(repository('jobs/new_users.sql'), 'utf8'),
      'jobs/outcomes.sql': outcomes ?? (await readFile(repository('jobs/outcomes.sql'), 'utf8')),
    },
  });
}

import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from '../root.ts';
import { ZONE } from './deliveries.ts';
import { FEATURES, type Variant } from './features.ts';
import { writeSecondModel } from './second-model.ts';

/** The Monday of the first week; users are included from then on. */
export const SINCE = '1996-12-30';

export const JOB = 'replay';
export const SCORE = 'churn_propensity';
export const BANDS = { high: 0.88, medium: 0.8 };
/** After a model change. */
export const RESCORE_ROWS = 2000;

export interface ProjectOptions {
  readonly variant: Variant;
  readonly kind: 'duckdb' | 'bigquery' | 'snowflake';
  /** URL of the warehouse. */
  readonly url: string;
}

/**
 * Writes a project folder with the job whose slices are replayed, a job that scores all users as a batch, the model, and its
 * successor in `model-2`.
 */
export async function writeProject(folder: string, options: ProjectOptions): Promise<void> {
  const { variant, kind, url } = options;
  await mkdir(path.join(folder, 'jobs'), { recursive: true });
  const files = {
    'jobs/replay.yaml': jobFile(options),
    'jobs/oracle.yaml': oracleFile(url),
    'jobs/users.sql': query(variant, kind, true),
    'jobs/all-users.sql': query(variant, kind, false),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const model = path.join(folder, 'model');
  await cp(path.join(ROOT, 'models/churn'), model, { recursive: true });
  const yaml = await readFile(path.join(model, 'model.yaml'), 'utf8');
  // A user of the current table is not limited to the first week.
  await writeFile(path.join(model, 'model.yaml'), yaml.replaceAll('range: [1, 7]', 'range: [0, 400]'));
  await writeSecondModel(model, path.join(folder, 'model-2'));
}

/** Switches the job to the second model as people deploy one: the job file names another folder. */
export async function changeModel(folder: string): Promise<void> {
  for (const name of ['replay', 'oracle']) {
    const file = path.join(folder, 'jobs', `${name}.yaml`);
    await writeFile(file, (await readFile(file, 'utf8')).replace('model: model\n', 'model: model-2\n'));
  }
}

function jobFile({ variant, url }: ProjectOptions): string {
  return `name: ${JOB}
model: model
time_zone: ${ZONE}
every: week
source: { warehouse: "${url}", query_file: jobs/users.sql, key: [customer_id] }
score:
  column: ${SCORE}
  bands: { high: ${BANDS.high}, medium: ${BANDS.medium} }
  providers: [cpu]
sink: { table: marketing.churn_scores, keep: [${FEATURES.join(', ')}] }
gates: { max_quarantine_rate: 0.5 }
incremental:
  table: marketing.churn_current
  since: ${SINCE}
  changes: [{ table: orders, watermark: loaded_at }]
  lookback: 1 hour
  reconcile: day
${variant === 'aging' ? '  refresh: day\n' : ''}  rescore_rows: ${RESCORE_ROWS}
  shadow: { view: marketing.churn_now, comparisons: 7 }
`;
}

function oracleFile(url: string): string {
  return `name: oracle
model: model
time_zone: ${ZONE}
every: week
source: { warehouse: "${url}", query_file: jobs/all-users.sql, key: [customer_id] }
score: { column: ${SCORE}, bands: { high: ${BANDS.high}, medium: ${BANDS.medium} }, providers: [cpu] }
sink: { table: oracle.scores, history: 0 }
gates: { max_quarantine_rate: 0.5 }
`;
}

/** @param changed whether slices read only changed users */
function query(variant: Variant, kind: ProjectOptions['kind'], changed: boolean): string {
  const bigquery = kind === 'bigquery';
  const days = (to: string, from: string) => (bigquery ? `date_diff(${to}, ${from}, day)` : `${to} - ${from}`);
  const real = (expression: string) => `cast(${expression} as ${bigquery ? 'float64' : 'double'})`;
  const whole = (expression: string) => `cast(${expression} as ${bigquery ? 'int64' : 'bigint'})`;
  const ages =
    variant === 'aging'
      ? [days(':window_end_date', 'min(date)'), days(':window_end_date', 'max(date)')]
      : [days('max(date)', 'min(date)'), `${real(days('max(date)', 'min(date)'))} / greatest(count(distinct date) - 1, 1)`];
  return `-- Customers with their orders before the end of the window. The newest version of an order counts.
select
  customer_id,
  count(*) as orders,
  ${whole('sum(cds)')} as cds,
  ${real('sum(amount)')} as amount,
  ${real('max(amount)')} as largest_order,
  ${real('sum(amount)')} / nullif(sum(cds), 0) as price_per_cd,
  count(distinct date) as order_days,
  ${ages[0]} as days_since_first,
  ${ages[1]} as days_since_last
from (
  select
    customer_id, date, ordered_at, cds, amount, cancelled,
    row_number() over (partition by order_id order by version desc, loaded_at desc) as place
  from orders${changed ? '\n  where customer_id in (:changed_keys)' : ''}
) versions
where place = 1 and not cancelled and ordered_at < :window_end
group by customer_id
having min(ordered_at) >= :window_start
`;
}

import { type LinearOptions, linearProject } from './linear-project.ts';
import { statements } from './project.ts';
import { warehouseOf } from './published.ts';
import { type Outcome, scoreBatch } from './score-batch.ts';

/** The instant at which the outcomes of 1997-W11 are known: 28 days after its end, in New York. */
export const KNOWN = '1997-04-14T00:00:00-04:00';
const ALMOST = '1997-04-13T23:59:59-04:00';

export const LABELS_QUERY = `select user_id, came_true as outcome, contacted from outcomes
  where seen >= :label_start_date and seen < :label_end_date`;

const LABELS = `labels:
  query_file: jobs/outcomes.sql
  after: 28 days
  treated: contacted
  missing: exclude
`;

/** Outcomes of the users, by a rule that leans on `a` and is not what the model says. */
const OUTCOMES = `
  select user_id, date '1997-03-20' as seen, hash(user_id * 7 + cast(a * 10 as integer)) % 10 < 3 + a * 3 as came_true,
    user_id % 3 = 0 as contacted from users`;

export interface LabelledOptions extends LinearOptions {
  /** SELECT for the table `outcomes(user_id, seen, came_true, contacted)`. */
  readonly outcomes?: string;
  readonly labelsQuery?: string;
  readonly labels?: string;
}

/** The linear project with a table of outcomes. */
export async function labelledProject(options: LabelledOptions = {}): Promise<string> {
  const { outcomes = OUTCOMES, labelsQuery = LABELS_QUERY, labels = LABELS, edit = (job) => job, files, ...rest } = options;
  const folder = await linearProject({
    ...rest,
    edit: (job) => edit(`${job}${labels}`),
    files: { ...files, 'jobs/outcomes.sql': labelsQuery },
  });
  await statements(warehouseOf(folder), [`create table outcomes as ${outcomes}`]);
  return folder;
}

/** Publishes 1997-W11. @throws Error with stderr if that fails */
export async function publishWeek(folder: string): Promise<void> {
  const { code, stderr } = await scoreBatch(folder, ['-q', '--week']);
  if (code !== 0) throw new Error(stderr);
}

export function evaluate(folder: string, ...flags: string[]): Promise<Outcome> {
  return scoreBatch(folder, ['evaluate', '--week', '1997-W11', ...flags], { SCORE_BATCH_NOW: KNOWN });
}

export function evaluateTooEarly(folder: string): Promise<Outcome> {
  return scoreBatch(folder, ['evaluate', '--week', '1997-W11'], { SCORE_BATCH_NOW: ALMOST });
}

import { weekOf } from '../../src/window/calendar.ts';
import { numberOf } from './current-rows.ts';
import { DAY } from './deliveries.ts';
import { JOB, SCORE } from './project.ts';
import { microseconds } from './publications.ts';
import type { RunSql, Shop } from './shop.ts';
import type { View } from './view.ts';
import { type Checks, held, Violation } from './violation.ts';

const MAX_DELTA = 1e-6;

/** Score or rejection of a user. */
export interface Judged {
  /** Null if the user is quarantined. */
  readonly score: number | null;
  readonly digest: string;
}

/** A week of the batch compared with the current table as of the end of the week. */
export interface WeekEnd {
  readonly label: string;
  /** Users of the week. */
  readonly users: number;
  /** Users in the current table but in no week of the batch so far. */
  readonly extra: number;
}

export function labelOf(boundary: string): string {
  return weekOf(new Date(microseconds(boundary) / 1000 - DAY).toISOString().slice(0, 10));
}

/** The rows that a slice kept for the instant at which it ended. */
export async function readBoundary(shop: Shop, run: RunSql, boundary: string): Promise<Map<number, Judged>> {
  const rows = await run(`select customer_id, ${SCORE} as score, reason, model_digest from marketing.churn_current_boundary
    where ${shop.instant('boundary')} = '${boundary}'`);
  return new Map(
    rows.map((row) => {
      const score = numberOf(row.score);
      if ((score === null) !== (typeof row.reason === 'string'))
        throw new Violation('boundary', [`${row.customer_id} has score and reason`]);
      return [Number(row.customer_id), { score, digest: String(row.model_digest) }];
    }),
  );
}

/** What a batch run has published. */
export async function readBatch(
  run: RunSql,
  schema: { readonly scores: string; readonly where: string },
): Promise<Map<number, Judged>> {
  const { scores, where } = schema;
  const found = new Map<number, Judged>();
  for (const row of await run(`select customer_id, ${SCORE} as score, model_digest from ${scores} where ${where}`))
    found.set(Number(row.customer_id), { score: Number(row.score), digest: String(row.model_digest) });
  // One run uses one model.
  const digest = [...found.values()][0]?.digest ?? '';
  for (const row of await run(`select customer_id from ${scores}_quarantine where ${where}`))
    found.set(Number(row.customer_id), { score: null, digest });
  return found;
}

interface WeekEndOptions {
  readonly run: RunSql;
  readonly view: View;
  readonly boundary: string;
  readonly current: ReadonlyMap<number, Judged>;
  /** Users of previous weeks; those of this week are added. */
  readonly batchUsers: Set<number>;
  readonly checks: Checks;
}

/** Compares every user of the week's batch with the rows of the boundary. @throws Violation */
export async function checkWeekEnd({ run, view, boundary, current, batchUsers, checks }: WeekEndOptions): Promise<WeekEnd> {
  const label = labelOf(boundary);
  const batch = await readBatch(run, {
    scores: 'marketing.churn_scores',
    where: `job = '${JOB}' and window_label = '${label}'`,
  });
  const problems: string[] = [];
  let compared = 0;
  for (const [customer, { score, digest }] of batch) {
    const row = current.get(customer);
    if (row === undefined) problems.push(`customer ${customer} is not in the current table`);
    else if (row.digest !== digest) problems.push(`customer ${customer} has a score of another model`);
    else if (!isSame(row.score, score)) problems.push(`customer ${customer} has ${row.score}, in the batch ${score}`);
    else compared += 1;
  }
  const cohort = new Set(usersOfWeek(view, boundary));
  for (const customer of cohort)
    if (!batch.has(customer)) problems.push(`customer ${customer} is not in the batch of ${label}`);
  if (cohort.size !== batch.size) problems.push(`the batch has ${batch.size} users, not ${cohort.size}`);
  if (problems.length > 0) throw new Violation(`the week end of ${label}`, problems);
  held(checks, 'users at week ends: the current row equals the batch', compared);
  for (const customer of batch.keys()) batchUsers.add(customer);
  const extra = [...current.keys()].filter((customer) => !batchUsers.has(customer)).length;
  return { label, users: [...batch.values()].filter(({ score }) => score !== null).length, extra };
}

export function isSame(one: number | null, other: number | null): boolean {
  if (one === null || other === null) return one === other;
  return Math.abs(one - other) <= MAX_DELTA + 1e-12;
}

/** Users whose first order is in the week that ends at the boundary. */
function usersOfWeek(view: View, boundary: string): number[] {
  const start = microseconds(boundary) / 1000 - 7 * DAY;
  return [...view.customers()].filter((customer) => {
    const features = view.features(customer, boundary);
    return features !== undefined && view.firstOrder(customer, boundary) >= start;
  });
}

/** What the product itself reports about the week ends after comparing them. @throws Violation if it reports anything else */
export async function checkComparisons(run: RunSql, weekEnds: readonly WeekEnd[], checks: Checks): Promise<number> {
  const rows = await run(`select window_label, details from marketing.score_batch_ledger
    where job = '${JOB}.incremental' and state = 'compared' order by entry_number`);
  const problems: string[] = [];
  let within = 0;
  for (const row of rows) {
    const { shadow } = JSON.parse(String(row.details)) as { shadow: Record<string, unknown> };
    const weekEnd = weekEnds.find(({ label }) => label === row.window_label);
    const wanted = {
      ...{ keys: weekEnd?.users, missing: 0, extra: weekEnd?.extra, differing: 0, other_model: 0 },
      ...{ quarantined_in_batch: 0, quarantined_in_current: 0, compared: weekEnd?.users, within: weekEnd?.extra === 0 },
    };
    for (const [name, expected] of Object.entries(wanted))
      if (shadow[name] !== expected) problems.push(`${row.window_label}: ${name} is ${shadow[name]}, not ${expected}`);
    if (shadow.within === true) within += 1;
  }
  if (rows.length !== weekEnds.length) problems.push(`${rows.length} comparisons of ${weekEnds.length} week ends`);
  if (problems.length > 0) throw new Violation('the comparisons of the product', problems);
  held(checks, "comparisons of the product agree with the replay's own", rows.length);
  return within;
}

import type { Query } from '../domain/query.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { Plan, SlicePlan } from '../plan/plan.ts';
import { microText, millis } from './instants.ts';
import { incrementalOf } from './slice-job.ts';

/** Added to the instant of a slice; odd, so that ages in years, days of the week and hours of the day all change. */
const LATER_MS = ((400 * 24 + 5) * 60 + 7) * 60_000 + 11_000;

/** Share of users that may differ because rows were written during the two reads. */
const TOLERATED = 0.01;

/**
 * Refuses features or kept columns that change although the user does not, because they depend on `:window_end`. Queries all
 * users as of the slice and as of a later instant.
 *
 * @throws ScoreBatchError `configuration`, naming the columns, if there are any and the job has no `refresh`
 */
export async function refuseAging(plan: Plan & { readonly slice: SlicePlan }, job: Job): Promise<void> {
  const { refresh } = incrementalOf(job);
  const { key, needed, source, slice } = plan;
  if (refresh !== undefined || !plan.query.parameters.some(({ name }) => name.startsWith('window_end'))) return;
  const later = slice.bindAt(microText(millis(slice.details.as_of) + LATER_MS));
  const columns = needed.filter(({ name }) => !key.some((part) => part.name.toLowerCase() === name.toLowerCase()));
  const [counts = []] = await source.select(both(plan.query, later), (dialect, relation) => {
    const text = dialect.type({ type: 'string' });
    const value = (name: string) =>
      dialect.text(dialect.identifier(name), columns.find((one) => one.name === name) ?? { type: 'string' });
    const sides = columns.map(
      ({ name }, i) =>
        `MAX(CASE WHEN score_batch_side = 1 THEN ${value(name)} END) AS now_${i}, MAX(CASE WHEN score_batch_side = 2 THEN ${value(name)} END) AS later_${i}`,
    );
    const keys = key.map(({ name }) => dialect.identifier(name)).join(', ');
    const differing = columns.map(
      (_, i) => `CAST(COUNT(CASE WHEN COALESCE(now_${i}, chr(26)) <> COALESCE(later_${i}, chr(26)) THEN 1 END) AS ${text})`,
    );
    return `SELECT CAST(COUNT(*) AS ${text}), ${differing.join(', ')}
      FROM (SELECT ${sides.join(', ')} FROM ${relation} AS both_sides GROUP BY ${keys} HAVING COUNT(*) = 2) compared`;
  });
  const [users, ...differing] = counts.map(Number);
  const aging = columns.filter((_, i) => (differing[i] ?? 0) > (users ?? 0) * TOLERATED);
  if (aging.length === 0) return;
  throw new ScoreBatchError(
    'configuration',
    `${aging.map(({ name }) => name).join(', ')} ${aging.length === 1 ? 'changes' : 'change'} with :window_end for users who did not change`,
    {
      hint: 'set incremental.refresh: day, so that all users are scored once a day; or compute the column without :window_end',
    },
  );
}

/** Combines the rows of two queries with the same columns, marked with 1 and 2. */
function both(first: Query, second: Query): Query {
  const { texts: a } = first;
  const { texts: b } = second;
  const between = `${a.at(-1)}) AS first_rows UNION ALL SELECT 2 AS score_batch_side, * FROM (${b[0]}`;
  const joined =
    a.length === 1
      ? [`SELECT 1 AS score_batch_side, * FROM (${between}`]
      : [`SELECT 1 AS score_batch_side, * FROM (${a[0]}`, ...a.slice(1, -1), between];
  const texts =
    b.length === 1
      ? [...joined.slice(0, -1), `${joined.at(-1)}) AS second_rows`]
      : [...joined, ...b.slice(1, -1), `${b.at(-1)}) AS second_rows`];
  // Warehouses distinguish parameters by name.
  const later = second.parameters.map((parameter) => ({ ...parameter, name: `later_${parameter.name}` }));
  return { name: first.name, texts, parameters: [...first.parameters, ...later] };
}

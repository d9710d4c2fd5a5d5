import { grouped } from '../domain/counted.ts';
import type { Reconciliation } from '../domain/reconciliation.ts';
import { ScoreBatchError } from '../errors.ts';
import { bindWindow } from '../job/parameters.ts';
import type { Plan } from '../plan/plan.ts';
import { canCount } from '../warehouse/warehouse.ts';
import { previousWindow } from '../window/window.ts';

/** Windows that are looked at before giving up, and the time that may take. */
const WINDOWS_BACK = 26;
const TIME_LIMIT_MS = 5_000;

/** A gate's refusal for the person on call: why, what was rejected, and where to look. */
export async function refusal(
  plan: Plan,
  runId: string,
  reasons: readonly string[],
  reconciliation: Reconciliation,
): Promise<ScoreBatchError> {
  const rejections = reconciliation.rejections.map(
    ({ reason, columnName, rows }) =>
      `quarantined: ${grouped(rows)} × ${reason}${columnName === undefined ? '' : ` (${columnName})`}`,
  );
  const [first, ...more] = reasons;
  return new ScoreBatchError('refused', `${plan.window.label} was not published: ${first}`, {
    details: [...more.map((reason) => `also: ${reason}`), ...rejections],
    hint: await hintFor(plan, runId, reconciliation),
  });
}

async function hintFor(plan: Plan, runId: string, { rows, rejections }: Reconciliation): Promise<string> {
  if (rows.frozen === 0) {
    const newest = await newestWindowWithRows(plan);
    const where = newest === undefined ? 'check the query' : `the newest window before it that has rows is ${newest}`;
    return `${where}; --allow-empty publishes it empty, --skip-empty ends with exit code 99`;
  }
  if (rejections.length === 0) return 'look at the source; the limits are under gates in the job file';
  return `see the rejected rows: ${plan.sink.sink.showRejected(runId)}`;
}

/** Steps back window by window, where the source can count cheaply. */
async function newestWindowWithRows({ job, window, source }: Plan): Promise<string | undefined> {
  if (!canCount(source.source)) return undefined;
  const deadline = performance.now() + TIME_LIMIT_MS;
  let earlier = previousWindow(window);
  for (let i = 0; i < WINDOWS_BACK && earlier !== undefined && performance.now() < deadline; i += 1) {
    if ((await source.source.count(bindWindow(job.query, earlier, job.queryName, job.kind))) > 0) return earlier.label;
    earlier = previousWindow(earlier);
  }
  return undefined;
}

import { grouped } from '../domain/counted.ts';
import type { GateResult } from '../domain/gates.ts';
import type { Reconciliation } from '../domain/reconciliation.ts';
import { neverSeen } from '../domain/text-counts.ts';
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
  { refusals, driftedFrom = [] }: GateResult,
  reconciliation: Reconciliation,
): Promise<ScoreBatchError> {
  const rejections = reconciliation.rejections.map(
    ({ reason, columnName, rows }) =>
      `quarantined: ${grouped(rows)} × ${reason}${columnName === undefined ? '' : ` (${columnName})`}`,
  );
  const [first, ...more] = refusals;
  // Whatever else is refused comes first: scores may have drifted because of it.
  const onlyDrift = driftedFrom.length === refusals.length;
  return new ScoreBatchError('refused', `${plan.window.label} was not published: ${first}`, {
    details: [...more.map((reason) => `also: ${reason}`), ...rejections],
    hint: onlyDrift ? driftHint(plan, driftedFrom) : await hintFor(plan, runId, reconciliation),
  });
}

function driftHint({ last, bundle }: Plan, from: NonNullable<GateResult['driftedFrom']>): string {
  const before = last?.window.label ?? 'the window before';
  if (from.includes('before')) return `look at what changed in the source since ${before}: the model is the same`;
  const since = last?.model.digest === bundle.digest ? ` (${before} was scored by the same model)` : '';
  return `the users are no longer those that the model was trained on${since}: look at the source, then retrain the model`;
}

async function hintFor(plan: Plan, runId: string, { rows, rejections, texts }: Reconciliation): Promise<string> {
  if (rows.frozen === 0) {
    const newest = await newestWindowWithRows(plan);
    const where = newest === undefined ? 'check the query' : `the newest window before it that has rows is ${newest}`;
    return `${where}; --allow-empty publishes it empty, --skip-empty ends with exit code 99`;
  }
  const unseen = neverSeen(texts).map(({ feature }) => feature);
  if (unseen.length > 0) {
    const rejected = rejections.length === 0 ? '' : `; rejected rows: ${plan.sink.sink.showRejected(runId)}`;
    return `compare ${unseen.join(', ')} in the source with the categories in ${plan.bundle.folder}/model.yaml${rejected}`;
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

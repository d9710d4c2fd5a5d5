import { grouped } from '../domain/counted.ts';
import type { GateResult } from '../domain/gates.ts';
import type { Reconciliation } from '../domain/reconciliation.ts';
import { neverSeen } from '../domain/text-counts.ts';
import { ScoreBatchError } from '../errors.ts';
import { bindWindow } from '../job/parameters.ts';
import type { Plan } from '../plan/plan.ts';
import { canCount } from '../warehouse/warehouse.ts';
import { previousWindow } from '../window/window.ts';

/** Limits of the search for an earlier window with rows. */
const MAX_WINDOWS_BACK = 26;
const MAX_SEARCH_MS = 5_000;

/** A model can have hundreds of features that drift. */
const MAX_REASONS = 10;

/** The error for failed gates, for the person on call: why, what was quarantined, and where to look. */
export async function refusal(
  plan: Plan,
  runId: string,
  { refusals, driftedFrom = [], driftedFeatures = [] }: GateResult,
  reconciliation: Reconciliation,
): Promise<ScoreBatchError> {
  const rejections = reconciliation.rejections.map(
    ({ reason, columnName, rows }) =>
      `quarantined: ${grouped(rows)} × ${reason}${columnName === undefined ? '' : ` (${columnName})`}`,
  );
  const [first, ...more] = refusals;
  // Any other refusal decides the hint: it may have caused the drift.
  const onlyDrift = driftedFrom.length + driftedFeatures.length === refusals.length;
  return new ScoreBatchError('refused', `${plan.window.label} was not published: ${first}`, {
    details: [
      ...more.slice(0, MAX_REASONS).map((reason) => `also: ${reason}`),
      ...(more.length > MAX_REASONS ? [`and ${more.length - MAX_REASONS} more, see the details of the run in the ledger`] : []),
      ...rejections,
    ],
    hint: onlyDrift ? driftHint(plan, driftedFrom, driftedFeatures) : await hintFor(plan, runId, reconciliation),
  });
}

/** The error for failed gates on the outcomes of an earlier window. */
export function outcomeRefusal(label: string, [first, ...more]: readonly string[]): ScoreBatchError {
  return new ScoreBatchError('refused', `${label} was not published: ${first}`, {
    details: more.map((reason) => `also: ${reason}`),
    hint: 'retrain the model on newer windows; to publish meanwhile, set gates.on_evaluation: warn',
  });
}

function driftHint({ last, bundle }: Plan, from: NonNullable<GateResult['driftedFrom']>, features: readonly string[]): string {
  // They explain the drift of the scores.
  if (features.length > 0) {
    const names = [...new Set(features)].slice(0, MAX_REASONS).join(', ');
    return `compare ${names} in the source with the training rows (\`score-batch plan\` prints the query): correct the source, or retrain the model`;
  }
  const before = last?.window.label ?? 'the window before';
  if (from.includes('before')) return `check what has changed in the source since ${before}: the model is the same`;
  const since = last?.model.digest === bundle.digest ? ` (${before} was scored by the same model)` : '';
  return `the users differ from those that the model was trained on${since}: check the source, then retrain the model`;
}

async function hintFor(plan: Plan, runId: string, { rows, rejections, texts }: Reconciliation): Promise<string> {
  if (rows.frozen === 0) {
    const newest = await newestWindowWithRows(plan);
    const where = newest === undefined ? 'check the query' : `the latest earlier window with rows is ${newest}`;
    return `${where}; add --allow-empty to publish it empty, or --skip-empty to end with exit code 99`;
  }
  const unseen = neverSeen(texts).map(({ feature }) => feature);
  if (unseen.length > 0) {
    const rejected = rejections.length === 0 ? '' : `; rejected rows: ${plan.sink.showRejected(runId)}`;
    return `compare ${unseen.join(', ')} in the source with the categories in ${plan.bundle.folder}/model.yaml${rejected}`;
  }
  if (rejections.length === 0) return 'check the source; the limits are under gates in the job file';
  return `to see the rejected rows: ${plan.sink.showRejected(runId)}`;
}

/** Searches back window by window, if the source can count rows cheaply. */
async function newestWindowWithRows({ job, window, source, asOf }: Plan): Promise<string | undefined> {
  if (!canCount(source) || asOf !== undefined) return undefined;
  const deadline = performance.now() + MAX_SEARCH_MS;
  let earlier = previousWindow(window);
  for (let i = 0; i < MAX_WINDOWS_BACK && earlier !== undefined && performance.now() < deadline; i += 1) {
    if ((await source.count(bindWindow(job.query, earlier, job.queryName, job.kind))) > 0) return earlier.label;
    earlier = previousWindow(earlier);
  }
  return undefined;
}

import path from 'node:path';
import { grouped } from '../domain/counted.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import type { Reconciliation } from '../domain/reconciliation.ts';
import { gatesOf, isDrift, type Refusal } from '../domain/refusal.ts';
import { ScoreBatchError } from '../errors.ts';
import { bindWindow } from '../job/parameters.ts';
import type { Plan } from '../plan/plan.ts';
import { canCount } from '../warehouse/source-capabilities.ts';
import { localTime } from '../window/local-time.ts';
import { previousWindow } from '../window/window.ts';
import { looksAt } from './look.ts';

/** Limits of the search for an earlier window with rows. */
const MAX_WINDOWS_BACK = 26;
const MAX_SEARCH_MS = 5_000;

/** Limit, because hundreds of a model's features may drift. */
const MAX_REASONS = 10;

export interface RefusedRun {
  readonly runId: string;
  readonly frozen: FrozenTable;
  /** At least one. */
  readonly refusals: readonly Refusal[];
  readonly reconciliation: Pick<Reconciliation, 'rows' | 'rejections'>;
}

/**
 * The error for gates that refused, for the person on call: why, with numbers and limits, and what was quarantined. Its hint
 * follows from the gate: the usual meaning, the query to look with, and the command that publishes the run after a look.
 */
export async function refusal(plan: Plan, run: RefusedRun): Promise<ScoreBatchError> {
  const { refusals, reconciliation } = run;
  const rejections = reconciliation.rejections.map(
    ({ reason, columnName, rows }) =>
      `quarantined: ${grouped(rows)} × ${reason}${columnName === undefined ? '' : ` (${columnName})`}`,
  );
  const [first, ...more] = refusals.map(({ message }) => message);
  return new ScoreBatchError('refused', `${plan.window.label} was not published: ${first}`, {
    details: [
      ...more.slice(0, MAX_REASONS).map((reason) => `also: ${reason}`),
      ...(more.length > MAX_REASONS ? [`and ${more.length - MAX_REASONS} more, see the details of the run in the ledger`] : []),
      ...rejections,
    ],
    hint: [await meaningOf(plan, refusals), ...(await looks(plan, run)), await acceptance(plan, run)].join('\n'),
  });
}

/** What the refusals usually mean. A gate that counts rows decides: its cause may also explain the drift. */
async function meaningOf(plan: Plan, refusals: readonly Refusal[]): Promise<string> {
  const decisive = refusals.find((one) => !isDrift(one)) ?? refusals[0];
  const features = [...new Set(refusals.flatMap(({ feature }) => feature ?? []))].slice(0, MAX_REASONS).join(', ');
  switch (decisive?.gate) {
    case undefined:
    case 'min_rows':
    case 'max_drop':
      return 'rows are missing: the source was loaded in part or late, or a join or a filter of the query dropped them; the limits are under gates in the job file';
    case 'empty': {
      const newest = await newestWindowWithRows(plan);
      const where = newest === undefined ? 'check the query' : `the latest earlier window with rows is ${newest}`;
      return `${where}; add --allow-empty to publish it empty, or --skip-empty to end with exit code 99`;
    }
    case 'never_seen':
      return `compare ${features} in the source with the categories in ${plan.bundle.folder}/model.yaml: the source may use other words for the same things, or the query another column`;
    case 'duplicates':
      return 'check the query: most likely a join multiplies rows; or set source.duplicates: quarantine';
    case 'all_quarantined':
      return 'check the query: most likely a column has a form that the model does not accept';
    case 'max_quarantine_rate':
      return 'check the query: a column has changed in form, range or nulls; the limits are under gates in the job file';
    case 'min_auc':
    case 'max_calibration_error':
      return 'retrain the model on newer windows; to publish meanwhile, set gates.on_evaluation: warn';
    case 'max_score_psi':
    case 'max_feature_psi':
    case 'max_null_share':
      return driftMeaning(plan, refusals, features);
  }
}

function driftMeaning({ last, bundle }: Plan, refusals: readonly Refusal[], features: string): string {
  // Drifted features explain the drift of the scores.
  if (features !== '') {
    return `compare ${features} in the source with the training rows (\`score-batch plan\` prints the query), then correct the source or retrain the model`;
  }
  const before = last?.window.label ?? 'the window before';
  if (refusals.some(({ baseline }) => baseline === 'previous'))
    return `check what has changed in the source since ${before}; the model is the same`;
  const since = last?.model.digest === bundle.digest ? ` (${before} was scored by the same model)` : '';
  return `the users differ from those that the model was trained on${since}: check the source, then retrain the model`;
}

/** Lines with queries to look with. */
async function looks(plan: Plan, { runId, frozen, refusals }: RefusedRun): Promise<string[]> {
  const found = await looksAt(plan, runId, frozen, refusals);
  return found.map(({ gate, warehouse, sql }) => `look at ${gate} in ${warehouse}: ${sql}`);
}

/** The line with the command that publishes the run after a look, and the time until which that is possible. */
async function acceptance(plan: Plan, { runId, refusals }: RefusedRun): Promise<string> {
  const until = await keptUntil(plan, runId).catch(() => undefined);
  const deadline = until === undefined ? '' : ` by ${localTime(until, plan.window.zone)}`;
  return `or check the rows and publish them${deadline}: ${acceptCommand(plan, runId, gatesOf(refusals))}`;
}

function acceptCommand({ job, requireGpu }: Plan, runId: string, gates: readonly string[]): string {
  const inJobs = path.dirname(job.file) === path.join(job.root, 'jobs');
  const name = inJobs ? path.basename(job.file).replace(/\.ya?ml$/, '') : path.relative(job.root, job.file);
  const gpu = requireGpu && !job.definition.score.require_gpu ? ' --require-gpu' : '';
  return `score-batch publish --job ${shellWord(name)} --run ${runId}${gpu} --accept ${gates.join(',')} --reason "…"`;
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** When the first part of the run will be dropped from scratch, unless another run publishes the window earlier. */
async function keptUntil({ source, sink }: Plan, runId: string): Promise<string | undefined> {
  const artifacts = [...(await source.listArtifacts()), ...(await sink.listArtifacts())];
  return artifacts.flatMap(({ run, deadline }) => (run === runId && deadline !== undefined ? deadline : [])).sort()[0];
}

/** Searches backwards window by window, if the source can count rows cheaply. */
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

import type { Context } from '../context.ts';
import type { FrozenTable } from '../domain/frozen-table.ts';
import { currentPublication, type Publication, type Run, runsOf } from '../domain/ledger.ts';
import { supersededWindow } from '../domain/publications.ts';
import { ScoreBatchError } from '../errors.ts';
import { observed } from '../observe/observed.ts';
import type { Plan } from '../plan/plan.ts';
import { sessionUser } from '../warehouse/session-user.ts';
import { takesTaps } from '../warehouse/tapping.ts';
import { publishOnce } from './finish.ts';
import { type ActiveRun, windowFilter } from './progress.ts';
import { publishFrozen } from './publish.ts';
import type { RunSummary } from './summary.ts';
import { progressOf } from './unfinished.ts';

export interface AcceptOptions {
  readonly runId: string;
  readonly reason: string;
}

/**
 * Publishes a run that gates refused, exactly as it was scored then. Nothing is recorded before the publication itself, so a
 * killed process leaves the run either refused or published. Called again for a published run, it finishes what is left to do.
 *
 * @param plan of the run's window, from the present job file
 * @throws ScoreBatchError `refused` if job file, query, model or staging have changed, `conflict` if another run has published
 * the window since
 */
export async function acceptPhase(plan: Plan, { runId, reason }: AcceptOptions, context: Context): Promise<RunSummary> {
  const entries = await plan.ledger.entries(windowFilter(plan));
  const run = runsOf(entries).find((other) => other.runId === runId);
  if (run === undefined) throw new Error(`the ledger has no entry of run ${runId}`);
  const current = currentPublication(entries);
  const active: ActiveRun = { plan, progress: progressOf(plan, entries, run, context.began), context };
  refuseOtherDefinition(plan, run);
  if (run.state === 'published' || run.state === 'completed') refuseReplaced(run, current);
  else {
    refuseOtherPublication(run, current);
    refuseOtherOverlaps(plan, run);
  }
  return await observed(active, () =>
    publishOnce(active, async () => {
      const frozen = await stagedRows(active, run);
      active.progress.frozen = frozen.id;
      const user = (await sessionUser(plan.sink)) ?? null;
      return await publishFrozen(active, frozen, { allowEmpty: false, accepted: { reason, user } });
    }),
  );
}

/** Staged rows belong to the job file, query and model at the time: published under others, nobody could tell what they are. */
function refuseOtherDefinition(plan: Plan, { runId, fingerprint, details, model }: Run): void {
  if (plan.fingerprint === fingerprint) return;
  const { bundle, job } = plan;
  const changed = [
    ...(details.sql !== undefined && details.sql !== job.query ? ['the query'] : []),
    ...(model.digest !== bundle.digest || model.version !== bundle.definition.version
      ? [`the model (${model.version}, sha256 ${model.digest.slice(0, 12)}… then)`]
      : []),
  ];
  const what = changed.length > 0 ? changed.join(' and ') : 'the job file, model.yaml, a column of the query, or --require-gpu';
  throw new ScoreBatchError('refused', `run ${runId} was made with another definition of the job; changed since: ${what}`, {
    hint: 'to publish the run, restore what it was made with; or run the window again with the current definition',
  });
}

function refuseReplaced({ runId, window }: Run, current: Publication | undefined): void {
  if (current?.runId === runId) return;
  throw new ScoreBatchError(
    'conflict',
    `run ${runId} was published, but ${current === undefined ? 'another window' : `run ${current.runId}`} has since superseded it`,
    { hint: `\`score-batch status\` shows what is published for ${window.label}` },
  );
}

/** The run must still supersede what the gates compared it with. */
function refuseOtherPublication({ runId, window, details }: Run, current: Publication | undefined): void {
  const { supersedes, supersedes_publication: number } = details;
  const same = number === undefined ? (supersedes ?? undefined) === current?.runId : (number ?? undefined) === current?.number;
  if (same) return;
  const now = current === undefined ? 'nothing is published' : `run ${current.runId} is published`;
  throw new ScoreBatchError('conflict', `${now} for ${window.label} since run ${runId} was refused`, {
    hint: 'to publish anyway, run the window again: the gates compare with what is published',
  });
}

function refuseOtherOverlaps(plan: Plan, { runId, details }: Run): void {
  const idsOf = (windows: readonly { readonly run_id: string }[]) => windows.map(({ run_id }) => run_id).sort();
  const now = idsOf(plan.overlaps.map(supersededWindow));
  if (JSON.stringify(idsOf(details.supersedes_windows ?? [])) === JSON.stringify(now)) return;
  throw new ScoreBatchError('conflict', `the published overlapping windows have changed since run ${runId} was refused`, {
    hint: 'run the window again',
  });
}

/** The refused run's rows. @throws ScoreBatchError `refused` if they are gone */
async function stagedRows({ plan }: ActiveRun, { runId, rows, details }: Run): Promise<FrozenTable> {
  const frozen = await plan.source.frozen(runId);
  if (frozen !== undefined) return frozen;
  if (takesTaps(plan.sink)) {
    const window = await plan.sink.tapped(runId);
    if (window !== undefined) return window.frozen;
    // An empty window has nothing staged.
    if (rows?.frozen === 0 && details.frozen !== undefined) return emptyWindow(plan, runId, details.frozen);
  }
  throw new ScoreBatchError('refused', `the rows of run ${runId} are gone`, {
    hint: 'run the window again; the rows were dropped after their deadline, are damaged, or were scored without freezing before this machine was restarted',
  });
}

function emptyWindow({ needed }: Plan, runId: string, id: string): FrozenTable {
  return { id, runId, columns: needed, chunks: [], divisions: 1, rows: 0, duplicates: 0, hash: 'native', tapped: true };
}

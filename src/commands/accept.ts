import type { Context } from '../context.ts';
import { type Run, runsOf } from '../domain/ledger.ts';
import { compareNames, GATE_ALIASES, GATES, gatesOf, isGate } from '../domain/refusal.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { RunOutput } from '../json/run.ts';
import { makePlan } from '../plan/plan.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { acceptPhase } from '../run/accept.ts';
import { showSummary } from '../run/summary.ts';
import { didYouMean } from '../suggest.ts';
import { windowFromFlags } from '../window/flags.ts';
import { windowOf } from '../window/window.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags, WindowOptions } from './options.ts';
import { cleanReason } from './reason.ts';

/** The flags of `publish`. */
export interface AcceptFlags extends JobFlags, WindowOptions {
  readonly run?: string;
  readonly accept?: string;
  readonly reason?: string;
  readonly requireGpu?: boolean;
  readonly force?: boolean;
  readonly allowEmpty?: boolean;
  readonly skipEmpty?: boolean;
  readonly skipPublished?: boolean;
  readonly replaceOverlapping?: boolean;
  readonly deliver?: boolean;
}

/** Publishes a refused run after a look: `publish --run ID --accept GATES --reason TEXT`. */
export async function acceptCommand(flags: AcceptFlags, context: Context): Promise<RunOutput> {
  const { run: runId, names, reason } = readFlags(flags);
  const job = { ...(await namedJob(flags, context)), deliver: flags.deliver };
  const run = await findRun(job, runId, context);
  const { time_zone } = job.definition;
  const window = windowOf(Date.parse(run.window.start), Date.parse(run.window.end), time_zone);
  context.subject.window = window.label;
  refuseOtherWindow(flags, run, time_zone, context);
  refuseOtherGates(run, names);
  const options = {
    requireGpu: flags.requireGpu ?? false,
    workers: undefined,
    phase: 'publish' as const,
    force: flags.force,
    // These are compared with what the run would have superseded.
    replaceOverlapping: run.details.supersedes_windows !== undefined,
    pinned: run.details.registered,
  };
  const plan = await makePlan(job, window, options, context);
  const summary = await acceptPhase(plan, { runId, reason }, context);
  context.console.info(showSummary(summary), { summary });
  return summary;
}

function readFlags(flags: AcceptFlags) {
  const { run, accept } = flags;
  const names = [...new Set((accept ?? '').split(',').map((name) => name.trim()))].filter((name) => name !== '');
  if (run === undefined)
    throw usage(
      `--${accept === undefined ? 'reason' : 'accept'} needs --run`,
      'name the refused run with --run; `score-batch status` shows it',
    );
  if (names.length === 0) throw usage('--run needs --accept', 'name the gates that refused the run, e.g. --accept max_drop');
  for (const name of names) refuseUnknown(name);
  const reason = cleanReason(flags.reason);
  if (reason === '')
    throw usage('--accept needs --reason', 'give the reason for publishing the run anyway; the ledger keeps it');
  const given = (['allowEmpty', 'skipEmpty', 'skipPublished', 'replaceOverlapping'] as const).find((name) => flags[name]);
  if (given !== undefined) {
    const flag = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw usage(`${flag} cannot be combined with --run`, 'use --accept to name the gates that are accepted');
  }
  return { run, names, reason };
}

function refuseUnknown(name: string): void {
  if (isGate(name) || Object.hasOwn(GATE_ALIASES, name)) return;
  if (/^reconcil/.test(name))
    throw usage('reconciliation is not a gate', 'run the window again; rows that do not reconcile are never published');
  throw usage(`${name} is not a gate`, didYouMean(name, [...GATES, ...Object.keys(GATE_ALIASES)]));
}

async function findRun(job: Job, runId: string, context: Context): Promise<Run> {
  const { name } = job.definition;
  const { ledger, reachSink, readTogether } = await openWarehouses(job, context);
  await reachSink();
  await using _reading = readTogether();
  const run = runsOf(await ledger.entries({ job: name, runs: [runId] })).find((other) => other.runId === runId);
  if (run === undefined) throw usage(`${name} has no run ${runId}`, '`score-batch status` shows the runs');
  context.subject.runId = runId;
  return run;
}

/** The window need not be given; if it is, it must be the run's. */
function refuseOtherWindow(flags: AcceptFlags, run: Run, zone: string, { now }: Context): void {
  const { week, date, hour, from, to } = flags;
  if ([week, date, hour, from, to].every((flag) => flag === undefined)) return;
  const named = windowFromFlags(flags, zone, now);
  if (named.start.toISOString() === run.window.start && named.end.toISOString() === run.window.end) return;
  throw usage(
    `run ${run.runId} belongs to ${run.window.label}, not to ${named.label}`,
    'leave the window out; the ledger knows the window of a run',
  );
}

/** @throws ScoreBatchError `usage` if the names are not those of the gates that refused; other kinds if no gate refused */
function refuseOtherGates({ runId, state, details }: Run, names: readonly string[]): void {
  const refused = gatesOf(details.refused_by ?? []);
  const done = (state === 'published' || state === 'completed') && details.accepted !== undefined;
  if (!done && state !== 'refused') {
    const hint = '`score-batch status` shows the runs; only a refused one can be accepted';
    throw new ScoreBatchError('conflict', `run ${runId} is ${state}, not refused`, { hint });
  }
  if (refused.length === 0) {
    throw new ScoreBatchError('refused', `no gate refused run ${runId}: ${details.error ?? 'the ledger gives no reason'}`, {
      hint: 'only gates can be accepted: fix the cause, then run the window again',
    });
  }
  const { idle, missing } = compareNames(names, refused);
  if (idle.length > 0) throw usage(`${idle.join(', ')} did not refuse run ${runId}`, `refused by: ${refused.join(', ')}`);
  if (missing.length > 0)
    throw usage(`${missing.join(', ')} also refused run ${runId}`, `accept all of them or none: ${refused.join(',')}`);
}

function usage(message: string, hint: string): ScoreBatchError {
  return new ScoreBatchError('usage', message, { hint });
}

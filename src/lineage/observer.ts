import { runsOf } from '../domain/ledger.ts';
import type { ObservedEnd, ObservedRun, RunObserver } from '../observe/observer.ts';
import type { Console } from '../terminal/console.ts';
import { beginningOf, endingOf, type Told } from './event.ts';
import type { RunEvent } from './facets.ts';
import { masked } from './masked.ts';
import { Sender } from './sender.ts';
import { type LineageSettings, lineageSettings } from './settings.ts';
import { sourcesOf } from './sources.ts';
import type { TracedQuery } from './traced-query.ts';

/**
 * Reports runs to an OpenLineage server, if OPENLINEAGE_URL names one: where their rows came from, and what was made of them.
 *
 * @returns undefined if there is no server, or its URL is unusable
 */
export function lineageObserver(environment: NodeJS.ProcessEnv, console: Console): RunObserver | undefined {
  const settings = lineageSettings(environment);
  if (typeof settings === 'string') console.warn(`lineage is not sent: ${settings}`);
  if (settings === undefined || typeof settings === 'string') return undefined;
  for (const warning of settings.warnings) console.warn(`lineage is sent without a parent run: ${warning}`);
  return observer(settings, console);
}

function observer(settings: LineageSettings, console: Console): RunObserver {
  const sender = new Sender(settings);
  // All windows of a backfill share one query.
  const queries = new Map<string, Promise<TracedQuery>>();
  const over = new Set<string>();
  const send = (run: ObservedRun, event: (told: Told) => RunEvent): void =>
    sender.send(async () => {
      const key = run.plan.job.query;
      const traced = queries.get(key) ?? sourcesOf(run.plan);
      queries.set(key, traced);
      return masked(event({ run, traced: await traced, settings }));
    });
  return {
    began(run) {
      if (isOver(run)) over.add(run.runId);
      else send(run, (told) => beginningOf(told, beginsRun(run) ? 'START' : 'RUNNING'));
    },
    ended(run: ObservedRun, end: ObservedEnd) {
      if (!over.has(run.runId)) send(run, (told) => endingOf(told, end));
    },
    async close() {
      const unsent = await sender.close();
      if (unsent === undefined) return;
      const what = unsent.of === 1 ? 'the lineage event was' : `${unsent.events} of ${unsent.of} lineage events were`;
      console.warn(`${what} not sent to ${settings.url.origin}: ${unsent.reason}`);
    },
  };
}

/** Whether nothing was left to do when this process came: earlier ones have sent the run's events. */
function isOver({ plan, runId }: ObservedRun): boolean {
  return runsOf(plan.entries).find((run) => run.runId === runId)?.state === 'completed';
}

/** Whether this process begins or resumes the run, rather than joins it. */
function beginsRun({ plan }: ObservedRun): boolean {
  return plan.basis !== undefined || plan.slice !== undefined;
}

import type { Context } from '../context.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { GcOutput } from '../json/upkeep.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { abandonedReports } from '../report/abandoned.ts';
import { agedPublications } from '../run/aged-publications.ts';
import { type JudgedArtifact, judgeArtifacts } from '../run/judged-artifacts.ts';
import { alignTable } from '../terminal/table.ts';
import { localTime } from '../window/local-time.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';

export interface GcFlags extends JobFlags {
  readonly apply?: boolean;
}

/**
 * Shows what the job's runs have left in scratch and on this machine, and replaced publications kept for too long. `--apply`
 * drops what no run needs any more.
 */
export async function gcCommand(flags: GcFlags, context: Context): Promise<{ data: GcOutput; text: string }> {
  const job = await namedJob(flags, context);
  const { definition, root } = job;
  const { source, sink, ledger, reachSink } = await openWarehouses(job, context);
  await reachSink();
  const places = [source, sink, ...abandonedReports(definition, root, 'all')];
  const found = [
    ...(await judgeArtifacts(places, ledger, definition, Date.now())),
    ...(await agedPublications(sink, definition, Date.now())),
  ];
  const apply = flags.apply ?? false;
  if (apply) for (const left of found) if (left.deletable) await left.drop();
  const left = found.map(({ name, run, deadline, keptUntil, deletable, why }) => ({
    name,
    run_id: run ?? null,
    deadline: keptUntil ?? deadline ?? null,
    action: deletable ? (apply ? ('dropped' as const) : ('drop' as const)) : ('keep' as const),
    why,
  }));
  return { data: { job: definition.name, applied: apply, left }, text: showArtifacts(definition, found, apply) };
}

function showArtifacts({ name, time_zone: zone }: JobDefinition, found: readonly JudgedArtifact[], apply: boolean): string {
  if (found.length === 0) return `runs of ${name} have left nothing behind`;
  const over = found.filter((left) => left.deletable).length;
  const rows = found.map((left) => [left.deletable ? (apply ? 'dropped' : 'drop') : 'keep', left.name, whyInZone(left, zone)]);
  const more = over > 0 && !apply ? ['nothing was dropped; run `score-batch gc --apply` to drop what is marked'] : [];
  return [alignTable(['', 'left behind', 'why'], rows, { important: ['left behind', 'why'] }), ...more].join('\n');
}

function whyInZone({ why }: JudgedArtifact, zone: string): string {
  return why.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, (instant) => localTime(instant, zone));
}

import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { counted, grouped } from '../domain/counted.ts';
import type { Stage, StageSeconds } from '../domain/stages.ts';
import type { Window } from '../domain/window.ts';
import type { Job } from '../job/load.ts';
import { median } from '../profile/line.ts';
import type { Comparable, LeftOut } from '../profile/recorded.ts';
import type { Sample, Setting } from '../profile/sample.ts';

/** The data of a profile, and its introduction for people. */
export interface Profiled {
  readonly samples: readonly Sample[];
  readonly setting: Setting | undefined;
  readonly heading: readonly string[];
  readonly leftOut: readonly LeftOut[];
  readonly notes: readonly string[];
}

/** Stages that a measured slice does not run as a run does: its reconcile checks neither gates nor drift. */
const UNMEASURED: readonly Stage[] = ['reconcile', 'explain', 'publish', 'challenge', 'report', 'clean_up'];

/** Past runs. @param never whether the ledger has no entry of the job */
export function profiledRuns(
  { definition: { name, sink, source } }: Job,
  { samples, setting, leftOut }: Comparable,
  never: boolean,
): Profiled {
  const base = { samples, setting, leftOut, notes: [] };
  if (setting === undefined) {
    const where = sink.warehouse ?? source.warehouse;
    const why = never ? `${name} has not run yet: the ledger in ${where} has no entry for it` : `${name} has no run to profile`;
    return { ...base, heading: [why, ...showLeftOut(leftOut)] };
  }
  const labels = samples.map(({ window }) => window.label).sort();
  const windows = labels[0] === labels.at(-1) ? labels[0] : `${labels[0]} to ${labels.at(-1)}`;
  return {
    ...base,
    heading: [
      `${name}: ${counted(samples.length, 'comparable run')} of ${windows}, ${rowRange(samples)}`,
      showSetting(setting),
      ...showLeftOut(leftOut),
    ],
  };
}

interface Measurement {
  readonly job: Job;
  readonly window: Window;
  /** Past runs, whose publications supply what a measured slice lacks. */
  readonly past: Comparable;
}

/** Slices scored now. */
export async function profiledMeasurement({ job, window, past }: Measurement, context: Context): Promise<Profiled> {
  const { measureSlices, SLICE_PERCENTS } = await import('../run/measure.ts');
  // What this process has spent so far, a run also spends before its plan.
  const start = (performance.now() - context.began) / 1000;
  const { model, execution, workers, freezes, slices } = await measureSlices({ job, window }, context);
  const { label, kind } = window;
  const rest = past.samples.length === 0 ? {} : mediansOf(UNMEASURED, past.samples);
  const samples = slices.map(({ rows, seconds, bytes }) => ({
    window: { label, kind, start: window.start.toISOString(), end: window.end.toISOString() },
    ...{ rows, bytes },
    seconds: { ...seconds, plan: seconds.plan + start, ...rest },
  }));
  const setting = { model, host: hostname(), provider: execution.provider, devices: execution.devices, workers, freezes };
  return {
    ...{ samples, setting, leftOut: [] },
    heading: [
      `${job.definition.name}: 3 slices of ${label}, measured now: ${SLICE_PERCENTS.map((percent) => `${percent} %`).join(', ')} of its rows, ${rowRange(samples)}`,
      showSetting(setting),
    ],
    notes: [
      past.samples.length === 0
        ? 'Publish, report and later stages are not measured, and no past run shows their times: a real slice takes longer.'
        : `Only plan, freeze and score are measured: the other stages are medians of ${counted(past.samples.length, 'past run')}, the same for each slice.`,
    ],
  };
}

function mediansOf(stages: readonly Stage[], samples: readonly Sample[]): Partial<StageSeconds> {
  return Object.fromEntries(stages.map((stage) => [stage, median(samples.map(({ seconds }) => seconds[stage] ?? 0))]));
}

function showSetting({ model, host, provider, workers, freezes }: Setting): string {
  const where = host === null ? 'any host' : `host ${host}`;
  return `${model.name} ${model.version} on ${provider} with ${counted(workers, 'worker')}, ${freezes ? 'rows frozen first' : 'rows scored as the query returns them'}, ${where}`;
}

function showLeftOut(leftOut: readonly LeftOut[]): string[] {
  return leftOut.length === 0
    ? []
    : [`left out: ${leftOut.map(({ why, runs }) => `${counted(runs, 'run')} ${why}`).join('; ')}`];
}

function rowRange(samples: readonly Sample[]): string {
  const rows = samples.map((sample) => sample.rows);
  const [least, most] = [Math.min(...rows), Math.max(...rows)];
  return least === most ? counted(least, 'row') : `${grouped(least)} to ${counted(most, 'row')}`;
}

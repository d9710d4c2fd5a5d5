import type { Context } from '../context.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import { totalSeconds } from '../domain/stages.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { ProfileOutput } from '../json/profile.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { freshnessOf } from '../profile/freshness.ts';
import type { Line } from '../profile/line.ts';
import { notesOf } from '../profile/notes.ts';
import { profileOf } from '../profile/profile.ts';
import { showProfile } from '../profile/profile-text.ts';
import { comparableRuns } from '../profile/recorded.ts';
import { alignTable } from '../terminal/table.ts';
import { windowFromFlags } from '../window/flags.ts';
import { windowOf } from '../window/window.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type Duration, type JobFlags, type WindowOptions } from './options.ts';
import { type Profiled, profiledMeasurement, profiledRuns } from './profiled.ts';

export interface ProfileFlags extends JobFlags, WindowOptions {
  readonly freshness?: Duration;
  /** Share of a window's rows that change within an hour's slice. */
  readonly changedShare?: number;
  readonly anyHost?: boolean;
  readonly measure?: boolean;
}

/**
 * Shows where past runs spent their time, how it grows with rows, and what slices would cost instead of the batch. Reads only the
 * ledger, unless slices are measured; publishes nothing.
 */
export async function profileCommand(
  flags: ProfileFlags,
  context: Context,
): Promise<{ readonly data: ProfileOutput; readonly text: string }> {
  refuseUnusedWindow(flags);
  const job = await namedJob(flags, context);
  const { ledger, reachSink } = await openWarehouses(job, context);
  await reachSink();
  const entries = await ledger.entries({ job: job.definition.name });
  const runs = comparableRuns(entries, { anyHost: flags.anyHost === true });
  const profiled = flags.measure
    ? await profiledMeasurement({ job, window: windowToMeasure(flags, job, entries, context), past: runs }, context)
    : profiledRuns(job, runs, entries.length === 0);
  return describe(profiled, { job, flags, context });
}

interface Described {
  readonly job: Job;
  readonly flags: ProfileFlags;
  readonly context: Context;
}

function describe(
  { samples, setting, heading, leftOut, notes: more }: Profiled,
  { job, flags, context }: Described,
): { data: ProfileOutput; text: string } {
  const { name, every, source } = job.definition;
  const options = {
    grain: every,
    usdPerTib: source.usd_per_tib,
    changedShare: flags.changedShare,
    noun: flags.measure ? 'slice' : 'run',
  } as const;
  const profile = profileOf(samples, options);
  const freshness = flags.freshness && freshnessOf(profile, flags.freshness.ms / 1000);
  if (flags.freshness !== undefined && freshness === undefined)
    context.console.warn('no interval can be recommended: --freshness needs runs with three different row counts');
  const notes = [...notesOf(profile, options), ...more];
  const jobFlag = flags.job === undefined ? '' : `--job ${flags.job} `;
  const measure = `score-batch profile ${jobFlag}--measure`;
  const offer = profile.seconds === undefined || (profile.seconds.doubt === 'alike' && !flags.measure) ? measure : undefined;
  const data: ProfileOutput = {
    job: name,
    measured: flags.measure === true,
    setting: setting ?? null,
    runs: samples.map(({ window, rows, seconds, bytes }) => ({
      ...{ window: window.label, rows, seconds: totalSeconds(seconds) },
      bytes: bytes ?? null,
    })),
    left_out: leftOut,
    stages: profile.stages,
    bottleneck: profile.bottleneck?.stage ?? null,
    seconds: withoutMoments(profile.seconds),
    bytes: withoutMoments(profile.bytes),
    usd_per_tib: source.usd_per_tib,
    batch: profile.batch ?? null,
    intervals: profile.intervals,
    freshness: freshness ?? null,
    notes,
    offer: offer ?? null,
  };
  const offered = offer && `To score three slices of a window and publish nothing:\n  ${offer}`;
  return {
    data,
    text: showProfile({ profile, heading, notes, freshness, offer: offered }, alignTable),
  };
}

function withoutMoments(line: Line | undefined): Omit<Line, 'moments'> | null {
  if (line === undefined) return null;
  const { moments: _, ...shown } = line;
  return shown;
}

const WINDOW_FLAGS = ['week', 'date', 'hour', 'from', 'to', 'allowOpen'] as const;

function refuseUnusedWindow(flags: ProfileFlags): void {
  if (flags.measure || WINDOW_FLAGS.every((name) => flags[name] === undefined)) return;
  throw new ScoreBatchError('usage', 'a window can only be given with --measure: a profile of the ledger covers all windows', {
    hint: 'add --measure, or leave the window out',
  });
}

/** The window that the flags select, otherwise the newest one that was run, otherwise the last one. */
function windowToMeasure(flags: ProfileFlags, { definition }: Job, entries: readonly LedgerEntry[], context: Context): Window {
  const { time_zone: zone, every } = definition;
  if (WINDOW_FLAGS.some((name) => flags[name] !== undefined)) return chooseWindow(flags, definition, context);
  const newest = entries
    .filter(({ state }) => state === 'completed')
    .toSorted((a, b) => (a.window.start < b.window.start ? -1 : 1))
    .at(-1)?.window;
  const window =
    newest === undefined
      ? windowFromFlags({ [every === 'day' ? 'date' : every]: true }, zone, context.now)
      : windowOf(Date.parse(newest.start), Date.parse(newest.end), zone);
  context.subject.window = window.label;
  return window;
}

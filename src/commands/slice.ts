import type { Context } from '../context.ts';
import { counted, grouped } from '../domain/counted.ts';
import { showSeconds } from '../domain/stages.ts';
import { ScoreBatchError } from '../errors.ts';
import type { SlicesOutput } from '../json/slice.ts';
import { runSlices, type SliceSummary } from '../slice/slice.ts';
import { localTime } from '../window/local-time.ts';
import { namedJob } from './named-job.ts';
import type { RunFlags } from './run.ts';

/** Flags that select or treat a window, which slices do not have. */
const OF_WINDOWS = [
  'week',
  'date',
  'hour',
  'from',
  'to',
  'allowOpen',
  'whole',
  'allowEmpty',
  'skipEmpty',
  'skipPublished',
] as const;
const OF_RUNS = ['fresh', 'force', 'replaceOverlapping', 'asOf'] as const;

/** Scores the users that changed since the previous slice. @returns the summaries, for `--json` */
export async function sliceCommand(flags: RunFlags, context: Context): Promise<{ data: SlicesOutput; text: string }> {
  const given = [...OF_WINDOWS, ...OF_RUNS].find((name) => flags[name] !== undefined);
  if (given !== undefined) {
    const flag = `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new ScoreBatchError('usage', `${flag} cannot be combined with --slice`, {
      hint: 'remove the flag: a slice begins where the previous slice ended, and ends where the data ends; --snapshot reads all users',
    });
  }
  const job = await namedJob(flags, context);
  const { snapshot = false, requireGpu = false, workers } = flags;
  context.subject.window = 'current';
  const slices = await runSlices(job, { snapshot, requireGpu, workers }, context);
  const { name, time_zone: zone } = job.definition;
  return { data: { job: name, slices: slices.map(dataOf) }, text: slices.map((slice) => show(slice, name, zone)).join('\n') };
}

function dataOf({ run, slice, outcome, seconds, warnings }: SliceSummary): SlicesOutput['slices'][number] {
  const { kind, as_of, spans, boundary } = slice;
  const { run_id, state, model, rows } = run;
  return {
    ...{ run_id, state, kind, as_of, spans, boundary, model, warnings },
    ...(rows && { rows }),
    ...(outcome && { outcome }),
    ...(seconds && { seconds }),
  };
}

/** `published slice 7 of churn-weekly as of 1997-01-07 10:00: 12 users changed, 9 scored, 3 unchanged`, and where they are. */
function show({ run, slice, outcome, seconds }: SliceSummary, job: string, zone: string): string {
  const what = { snapshot: 'a snapshot of all users', full: 'all users once more', changes: 'what changed' }[slice.kind];
  const number = (slice.follows ?? 0) + 1;
  const lines = [`${run.state} slice ${number} of ${job}, ${what}, as of ${localTime(slice.as_of, zone)}, run ${run.run_id}`];
  if (outcome !== undefined) {
    const { changed_keys: changed, scored, unchanged, quarantined, deleted, users, other_model: others } = outcome;
    if (changed !== null) lines.push(`  read        ${counted(changed, 'user')}`);
    lines.push(
      `  rows        ${grouped(scored)} scored, ${grouped(unchanged)} unchanged, ${grouped(quarantined)} quarantined, ${grouped(deleted)} deleted`,
      `  table       ${run.tables[0]} has ${counted(users, 'user')}${others === 0 ? '' : `, ${grouped(others)} with a score of an earlier model`}`,
    );
  }
  if (seconds) lines.push(`  seconds     ${showSeconds(seconds)}`);
  return lines.join('\n');
}

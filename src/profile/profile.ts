import { totalSeconds } from '../domain/stages.ts';
import type { Grain } from '../domain/window.ts';
import { type Batch, batchOf, type Interval, intervalsOf } from './intervals.ts';
import { fitLine, type Line } from './line.ts';
import type { Sample } from './sample.ts';
import { bottleneckOf, type StageCost, stageCosts } from './stage-costs.ts';

/** What comparable runs, or measured slices, reveal about a job. */
export interface Profile {
  readonly samples: readonly Sample[];
  /** Whether the samples are past runs, or slices of one window. */
  readonly noun: 'run' | 'slice';
  readonly stages: readonly StageCost[];
  readonly bottleneck: StageCost | undefined;
  /** Seconds by rows; undefined with fewer than three different row counts. */
  readonly seconds: Line | undefined;
  /** Bytes that the query reads, by rows; also undefined if the source cannot estimate them. */
  readonly bytes: Line | undefined;
  readonly batch: Batch | undefined;
  /** Empty without `seconds`. */
  readonly intervals: readonly Interval[];
}

export interface ProfileOptions {
  /** Length of the job's windows. */
  readonly grain: Grain;
  /** Price of 2^40 bytes. */
  readonly usdPerTib: number;
  /** See `IntervalOptions`. */
  readonly changedShare: number | undefined;
  /** For slices, the last one is the whole window. */
  readonly noun: Profile['noun'];
}

/** @param samples comparable ones, oldest first, each with rows */
export function profileOf(samples: readonly Sample[], { grain, usdPerTib, changedShare, noun }: ProfileOptions): Profile {
  const stages = stageCosts(samples);
  const seconds = fitLine(samples.map((sample) => ({ rows: sample.rows, cost: totalSeconds(sample.seconds) })));
  const bytes = fitLine(
    samples.flatMap((sample) => (sample.bytes === undefined ? [] : { rows: sample.rows, cost: sample.bytes })),
  );
  const batch = batchOf(noun === 'slice' ? samples.slice(-1) : samples, grain, usdPerTib);
  const intervals = batch && seconds ? intervalsOf({ batch, seconds, bytes, usdPerTib, changedShare }) : [];
  return { samples, noun, stages, bottleneck: bottleneckOf(stages), seconds, bytes, batch, intervals };
}

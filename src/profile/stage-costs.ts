import { STAGES, type Stage, totalSeconds } from '../domain/stages.ts';
import { areAlike, fitLine, type Line, median } from './line.ts';
import type { Sample } from './sample.ts';

/** Cost of a stage. */
export interface StageCost {
  readonly stage: Stage;
  /** Median over the samples. */
  readonly seconds: number;
  /** Median of its shares of the samples' seconds. */
  readonly share: number;
  /** Median of its total seconds per 1,000 rows, fixed costs included. */
  readonly per_1000_rows: number;
  /** Seconds that do not depend on rows, from a line fitted to the samples; null if they are too few or too alike. */
  readonly fixed: number | null;
}

/** The stages that took any time, in the order of a run. @param samples each with rows */
export function stageCosts(samples: readonly Sample[]): StageCost[] {
  return STAGES.map((stage) => {
    const spent = samples.map(({ rows, seconds }) => ({ rows, cost: seconds[stage] ?? 0, total: totalSeconds(seconds) }));
    return {
      stage,
      seconds: median(spent.map(({ cost }) => cost)),
      share: median(spent.map(({ cost, total }) => (total === 0 ? 0 : cost / total))),
      per_1000_rows: median(spent.map(({ rows, cost }) => (1000 * cost) / rows)),
      fixed: fixedOf(fitLine(spent)),
    };
  }).filter(({ seconds }) => seconds > 0);
}

function fixedOf(line: Line | undefined): number | null {
  return line === undefined || areAlike(line) ? null : line.fixed.value;
}

/** The stage with the largest share. */
export function bottleneckOf(stages: readonly StageCost[]): StageCost | undefined {
  return stages.toSorted((a, b) => b.share - a.share)[0];
}

import { type STAGES, type StageSeconds, totalSeconds } from './stages.ts';
import { type WorkerPart, type WorkerTime, workerShares } from './worker-time.ts';

/** Rows per second of wall-clock time; null if nothing was scored. */
export interface Rates {
  /** For the whole run: all rows by all seconds. */
  readonly run: number | null;
  /** For the stage `score`. */
  readonly score: number | null;
  /** The rate if the workers did nothing but run the model. */
  readonly model: number | null;
}

export function ratesOf(rows: number, seconds: StageSeconds, time: WorkerTime): Rates {
  const rate = (count: number, spent: number) => (count > 0 && spent > 0 ? Math.round(count / spent) : null);
  return {
    run: rate(rows, totalSeconds(seconds)),
    score: rate(time.rows, seconds.score),
    model: rate(time.rows * time.workers, time.seconds.model),
  };
}

type Step = Exclude<(typeof STAGES)[number], 'score'> | WorkerPart;

/** What people can tune, with its stages and worker steps. */
const CAUSES: Readonly<Record<string, readonly Step[]>> = {
  'starting up': ['plan', 'start'],
  'the query': ['freeze'],
  reading: ['read'],
  'the features': ['encode'],
  'the model': ['model'],
  writing: ['write', 'stage', 'publish'],
  'idle workers': ['wait'],
  reconciling: ['reconcile'],
  'the challenger': ['challenge'],
  'the report file': ['report'],
  'cleaning up': ['clean_up'],
};

/**
 * What takes most of the run's wall-clock time: `writing (publish 1.2 + stage 0.3 of 3.4 s, 44 %)`. The seconds of the stage
 * `score` are split by the workers' time.
 */
export function bottleneck(seconds: StageSeconds, time: WorkerTime): string {
  const shares = workerShares(time);
  const spent = (step: Step): number =>
    step in shares ? seconds.score * shares[step as WorkerPart] : (seconds[step as keyof StageSeconds] ?? 0);
  const sums = Object.entries(CAUSES).map(([cause, steps]) => {
    const parts = steps.map((step) => ({ step, spent: spent(step) })).sort((a, b) => b.spent - a.spent);
    return { cause, parts, sum: parts.reduce((sum, part) => sum + part.spent, 0) };
  });
  const [worst] = sums.sort((a, b) => b.sum - a.sum);
  const total = totalSeconds(seconds);
  const share = total === 0 ? 0 : Math.round((100 * (worst?.sum ?? 0)) / total);
  const named = worst?.parts.filter((part, i) => i === 0 || part.spent > 0.05 * worst.sum) ?? [];
  const terms = named.map((part) => `${part.step.replace('_', ' ')} ${part.spent.toFixed(1)}`).join(' + ');
  return `${worst?.cause} (${terms} of ${total.toFixed(1)} s, ${share} %)`;
}

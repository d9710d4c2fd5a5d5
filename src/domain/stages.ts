/** The stages of a run. One ends where the next begins, so their seconds on the clock add up to those of the whole run. */
export const STAGES = ['plan', 'freeze', 'score', 'reconcile', 'publish', 'report', 'clean_up'] as const;
export type Stage = (typeof STAGES)[number];

export type StageSeconds = Readonly<Record<Stage, number>>;

/** `3.45 = plan 0.15 + freeze 0.05 + …` */
export function showSeconds(seconds: StageSeconds): string {
  const terms = STAGES.map((stage) => `${stage.replace('_', ' ')} ${(seconds[stage] ?? 0).toFixed(2)}`);
  return `${totalSeconds(seconds).toFixed(2)} = ${terms.join(' + ')}`;
}

export function totalSeconds(seconds: StageSeconds): number {
  return STAGES.reduce((sum, stage) => sum + (seconds[stage] ?? 0), 0);
}

/** Tells which stage the time on the clock belongs to: always exactly one. */
export class StageClock {
  readonly #seconds: Record<Stage, number>;
  #stage: Stage = 'plan';
  #since: number;

  /**
   * @param began when the run's first stage did, as `performance.now()` tells it
   * @param earlier seconds that other processes of the run have spent
   */
  constructor(began: number, earlier: Partial<StageSeconds> = {}) {
    this.#since = began;
    this.#seconds = Object.fromEntries(STAGES.map((stage) => [stage, earlier[stage] ?? 0])) as Record<Stage, number>;
  }

  /** Ends the stage that it was in. */
  enter(stage: Stage): void {
    this.#settle();
    this.#stage = stage;
  }

  /** Seconds so far, those of the stage that goes on included, to the microsecond. */
  get seconds(): StageSeconds {
    this.#settle();
    const rounded = STAGES.map((stage) => [stage, Math.round(this.#seconds[stage] * 1e6) / 1e6]);
    return Object.fromEntries(rounded) as StageSeconds;
  }

  #settle(): void {
    const now = performance.now();
    this.#seconds[this.#stage] += (now - this.#since) / 1000;
    this.#since = now;
  }
}

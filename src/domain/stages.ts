/** The stages of a run. Each ends when the next begins, so their wall-clock seconds add up to those of the run. */
export const STAGES = [
  'plan',
  'freeze',
  'score',
  'reconcile',
  'explain',
  'publish',
  'challenge',
  'report',
  'clean_up',
] as const;
export type Stage = (typeof STAGES)[number];

export type StageSeconds = Readonly<Record<Stage, number>>;

/** `3.45 = plan 0.15 + freeze 0.05 + …` */
export function showSeconds(seconds: StageSeconds): string {
  // Hide these if unused: few jobs have reasons or a challenger.
  const shown = STAGES.filter((stage) => !['explain', 'challenge'].includes(stage) || (seconds[stage] ?? 0) > 0);
  const terms = shown.map((stage) => `${stage.replace('_', ' ')} ${(seconds[stage] ?? 0).toFixed(2)}`);
  return `${totalSeconds(seconds).toFixed(2)} = ${terms.join(' + ')}`;
}

export function totalSeconds(seconds: StageSeconds): number {
  return STAGES.reduce((sum, stage) => sum + (seconds[stage] ?? 0), 0);
}

/** A stage from start to end, in `performance.now()` milliseconds. Stages may repeat. */
export interface StageInterval {
  readonly stage: Stage;
  readonly began: number;
  readonly ended: number;
}

/** Assigns wall-clock time to stages: exactly one stage at any time. */
export class StageClock {
  readonly #seconds: Record<Stage, number>;
  readonly #entered: (stage: Stage) => void;
  readonly #passed: StageInterval[] = [];
  #stage: Stage = 'plan';
  #since: number;
  #began: number;

  /**
   * @param began when the first stage started, in `performance.now()` milliseconds
   * @param earlier seconds that earlier processes of the run spent
   * @param entered is called with each stage that begins
   */
  constructor(began: number, earlier: Partial<StageSeconds> = {}, entered: (stage: Stage) => void = () => undefined) {
    this.#entered = entered;
    this.#since = began;
    this.#began = began;
    this.#seconds = Object.fromEntries(STAGES.map((stage) => [stage, earlier[stage] ?? 0])) as Record<Stage, number>;
  }

  /** Ends the current stage and starts this one. */
  enter(stage: Stage): void {
    this.#settle();
    if (stage !== this.#stage) {
      this.#passed.push(this.#current());
      this.#began = this.#since;
    }
    this.#stage = stage;
    this.#entered(stage);
  }

  /** The stages of this process in order, including the current one until now. */
  get intervals(): readonly StageInterval[] {
    this.#settle();
    return [...this.#passed, this.#current()];
  }

  /** Seconds so far, the current stage included, to the microsecond. */
  get seconds(): StageSeconds {
    this.#settle();
    const rounded = STAGES.map((stage) => [stage, Math.round(this.#seconds[stage] * 1e6) / 1e6]);
    return Object.fromEntries(rounded) as StageSeconds;
  }

  #current(): StageInterval {
    return { stage: this.#stage, began: this.#began, ended: this.#since };
  }

  #settle(): void {
    const now = performance.now();
    this.#seconds[this.#stage] += (now - this.#since) / 1000;
    this.#since = now;
  }
}

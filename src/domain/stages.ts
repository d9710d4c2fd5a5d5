/**
 * Where a run's time goes, in its order. read, encode, score and stage happen in chunk workers side by side: their seconds
 * are those of all workers divided by the number of workers, so that all stages add up to about the time on the clock.
 */
const STAGES = ['plan', 'freeze', 'read', 'encode', 'score', 'stage', 'reconcile', 'publish', 'report'] as const;
export type Stage = (typeof STAGES)[number];

export type StageSeconds = Readonly<Record<Stage, number>>;

const PART: Readonly<Record<Stage, string>> = {
  plan: 'starting up',
  freeze: 'the warehouse',
  read: 'reading',
  encode: 'the features',
  score: 'the model',
  stage: 'writing',
  reconcile: 'the warehouse',
  publish: 'the warehouse',
  report: 'the report file',
};

/** Is it the model, the I/O or the features? `the warehouse (publish: 1.2 of 3.4 s, 35 %)` */
export function bottleneck(seconds: StageSeconds): string {
  const total = STAGES.reduce((sum, stage) => sum + seconds[stage], 0);
  const slowest = STAGES.reduce((worst, stage) => (seconds[stage] > seconds[worst] ? stage : worst));
  const share = total === 0 ? 0 : Math.round((100 * seconds[slowest]) / total);
  return `${PART[slowest]} (${slowest}: ${seconds[slowest].toFixed(1)} of ${total.toFixed(1)} s, ${share} %)`;
}

/** `plan 0.15 · freeze 0.05 · …` */
export function showSeconds(seconds: StageSeconds): string {
  return STAGES.map((stage) => `${stage} ${(seconds[stage] ?? 0).toFixed(2)}`).join(' · ');
}

/** Adds up seconds per stage. */
export class StageClock {
  readonly #seconds: Record<Stage, number>;

  /** @param earlier seconds that other processes of the run have spent */
  constructor(earlier: Partial<StageSeconds> = {}) {
    this.#seconds = Object.fromEntries(STAGES.map((stage) => [stage, earlier[stage] ?? 0])) as Record<Stage, number>;
  }

  add(stage: Stage, seconds: number): void {
    this.#seconds[stage] += seconds;
  }

  async time<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.add(stage, (performance.now() - start) / 1000);
    }
  }

  /** Seconds so far, to the microsecond. */
  get seconds(): StageSeconds {
    const rounded = STAGES.map((stage) => [stage, Math.round(this.#seconds[stage] * 1e6) / 1e6]);
    return Object.fromEntries(rounded) as StageSeconds;
  }
}

/** Rows of a stage. */
export interface RowCount {
  /** Rows done so far. Called for each line shown, so that scoring need not report each row or batch. */
  readonly done: () => number;
  /** Total rows; undefined if unknown. */
  readonly total: number | undefined;
  /** Whether the total is only an estimate. */
  readonly about?: boolean;
}

/** What is known about a stage at one moment. */
export interface StageView {
  readonly stage: string;
  /** Seconds since the stage began. */
  readonly seconds: number;
  /** Undefined if the stage does not count rows. */
  readonly rows: {
    readonly done: number;
    /** Undefined if unknown, or if more rows are done than estimated. */
    readonly total: number | undefined;
    readonly about: boolean;
    /** Rows per second over the last seconds; undefined until known. */
    readonly perSecond: number | undefined;
    /** Seconds; undefined if rate or total is unknown. */
    readonly left: number | undefined;
  } | null;
}

/** A rate covers at least this many milliseconds, because rows come in batches. */
const RATE_MS = 10_000;
const SAMPLE_MS = 500;

/** Counts the rows of a stage and how fast they come. */
export class StageProgress {
  readonly stage: string;
  readonly #since: number;
  #count: RowCount | undefined;
  /** The first is at least `RATE_MS` old if any sample is. */
  #samples: { readonly at: number; readonly done: number }[] = [];
  #first = 0;

  /** @param since when it began, in milliseconds of the clock used for `view` */
  constructor(stage: string, since: number) {
    this.stage = stage;
    this.#since = since;
  }

  /** Rows done before this call do not count towards the rate. */
  count(count: RowCount, now: number): void {
    this.#count = count;
    this.#first = count.done();
    this.#samples = [{ at: now, done: this.#first }];
  }

  view(now: number): StageView {
    const seconds = Math.max(0, now - this.#since) / 1000;
    const { stage } = this;
    if (this.#count === undefined) return { stage, seconds, rows: null };
    const { done: read, total: all, about = false } = this.#count;
    const done = read();
    const total = all === undefined || done > all ? undefined : all;
    this.#sample(now, done);
    const perSecond = this.#rate(now, done);
    const left = total === undefined || perSecond === undefined ? undefined : (total - done) / perSecond;
    return { stage, seconds, rows: { done, total, about, perSecond, left } };
  }

  /** The view at the end of the stage, with the rate over the whole stage. */
  ended(now: number): StageView {
    const view = this.view(now);
    if (view.rows === null) return view;
    const { done } = view.rows;
    const rate = view.seconds > 0 && done > this.#first ? (done - this.#first) / view.seconds : undefined;
    return { ...view, rows: { done, total: undefined, about: false, perSecond: rate, left: undefined } };
  }

  #sample(at: number, done: number): void {
    const last = this.#samples.at(-1);
    if (last === undefined || at - last.at < SAMPLE_MS) return;
    this.#samples.push({ at, done });
    while ((this.#samples[1]?.at ?? at) <= at - RATE_MS) this.#samples.shift();
  }

  #rate(now: number, done: number): number | undefined {
    const [from] = this.#samples;
    if (from === undefined || now - from.at < SAMPLE_MS || done <= from.done) return undefined;
    return (done - from.done) / ((now - from.at) / 1000);
  }
}

/** Rows of a stage. */
export interface RowCount {
  /** Rows done so far. It is called for each line that is shown, so that nothing need be sent for each row or batch. */
  readonly done: () => number;
  /** Rows in all; undefined if unknown. */
  readonly total: number | undefined;
  /** Whether the total is only a guess. */
  readonly about?: boolean;
}

/** What is known of a stage at one moment. */
export interface StageView {
  readonly stage: string;
  /** Since the stage began. */
  readonly seconds: number;
  /** Undefined if the stage does not count rows. */
  readonly rows: {
    readonly done: number;
    /** Undefined if unknown, or if more rows than guessed are done. */
    readonly total: number | undefined;
    readonly about: boolean;
    /** Of the last seconds; undefined until it is known. */
    readonly perSecond: number | undefined;
    /** Seconds; undefined if rate or total is unknown. */
    readonly left: number | undefined;
  } | null;
}

/** A rate is that of at least this time, milliseconds: rows come in batches. */
const RATE_MS = 10_000;
const SAMPLE_MS = 500;

/** Counts the rows of a stage and how fast they come. */
export class StageProgress {
  readonly stage: string;
  readonly #since: number;
  #count: RowCount | undefined;
  /** The first is at least `RATE_MS` old, if any is. */
  #samples: { readonly at: number; readonly done: number }[] = [];
  #first = 0;

  /** @param since when it began, milliseconds, on the clock of `view` */
  constructor(stage: string, since: number) {
    this.stage = stage;
    this.#since = since;
  }

  /** Rows that are done at this moment do not count for the rate. */
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

  /** The same at the end of the stage: the rate is that of the whole stage. */
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

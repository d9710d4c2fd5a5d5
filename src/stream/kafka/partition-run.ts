import type { LogBatch, LogRecord, Member } from '../log.ts';
import type { Reader } from './reader.ts';

/** Most batches of a partition that wait while one is being processed. */
const WAITING = 2;
/** Records that arrive during a transaction wait as one batch of up to this many bytes, so they share one transaction. */
const JOINED_BYTES = 256 << 10;
/** Most bytes of waiting records in all partitions of a process; beyond, one batch waits per partition of a group. */
export const WAITING_BYTES = 64 << 20;

/** Bytes that wait in all partitions of a subscription. */
export interface Waiting {
  bytes: number;
}

interface WaitingBatch {
  readonly records: LogRecord[];
  next: number;
  end: number;
  bytes: number;
}

/** Calls a member for one partition, one call at a time, for as long as the partition is assigned. */
export class PartitionRun {
  readonly #partition: number;
  readonly #member: Member;
  readonly #reader: Reader;
  readonly #isPaused: () => boolean;
  readonly #all: Waiting;
  readonly #waiting: WaitingBatch[] = [];
  readonly #ended: Promise<void>;
  /** Set if `assigned` must be called; `kept`: whether the member had the partition before. */
  #begin: { readonly kept: boolean } | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(
    of: { partition: number; kept: boolean; member: Member; reader: Reader; isPaused: () => boolean; waiting: Waiting },
    onError: (error: unknown) => void,
  ) {
    this.#partition = of.partition;
    this.#member = of.member;
    this.#reader = of.reader;
    this.#isPaused = of.isPaused;
    this.#all = of.waiting;
    this.#begin = { kept: of.kept };
    this.#ended = this.#run().catch(onError);
  }

  /** Whether it will begin again, so that none of its state can be kept. */
  get restarts(): boolean {
    return this.#begin?.kept === false;
  }

  wants(): boolean {
    const most = this.#all.bytes < WAITING_BYTES ? WAITING : 1;
    return !this.#stopped && this.#begin === undefined && this.#waiting.length < most && !this.#isPaused();
  }

  deliver({ records, next, end }: LogBatch, bytes: number): void {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.bytes + bytes <= JOINED_BYTES) {
      last.records.push(...records);
      Object.assign(last, { next, end, bytes: last.bytes + bytes });
    } else this.#waiting.push({ records: [...records], next, end, bytes });
    this.#all.bytes += bytes;
    this.#wake?.();
  }

  restart(): void {
    this.#begin = { kept: false };
    this.#drop();
  }

  /** Call after pauses may have changed. */
  wake(): void {
    this.#wake?.();
  }

  /** Resolves after the call in flight. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#drop();
    return this.#ended;
  }

  #drop(): void {
    while (this.#next() !== undefined) {}
    this.#reader.forget(this.#partition);
    this.#wake?.();
  }

  #next(): WaitingBatch | undefined {
    const first = this.#waiting.shift();
    if (first !== undefined) this.#all.bytes -= first.bytes;
    return first;
  }

  #isWanted(): boolean {
    return !this.#stopped && this.#begin === undefined && !this.#isPaused();
  }

  /** The rest of a batch waits before all others, unless the partition will be read from elsewhere. */
  #putBack({ records, next, end }: LogBatch, of: WaitingBatch): void {
    if (this.#stopped || this.#begin !== undefined) return;
    const bytes = Math.ceil((of.bytes * records.length) / Math.max(1, of.records.length));
    this.#waiting.unshift({ records: [...records], next, end, bytes });
    this.#all.bytes += bytes;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const begin = this.#begin;
      if (begin !== undefined) {
        const offset = await this.#member.assigned(this.#partition, begin.kept);
        // It was restarted meanwhile: call again.
        if (this.#stopped || this.#begin !== begin) continue;
        this.#begin = undefined;
        this.#reader.seek(this.#partition, offset);
        continue;
      }
      const batch = this.#isPaused() ? undefined : this.#next();
      if (batch === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.#reader.wake();
      const { records, next, end } = batch;
      const rest = await this.#member.batch({ partition: this.#partition, records, next, end }, () => this.#isWanted());
      if (rest !== undefined) this.#putBack(rest, batch);
    }
  }
}

import { type EventFeatures, horizonMs } from '../../event-features/definition.ts';
import type { DueEvent, StreamEvent } from '../event.ts';
import type { PartitionWindow, Verdict, WindowCheckpoint, WindowLimits } from '../partition-window.ts';
import { FeatureValues } from './feature-values.ts';
import type { KeyEvents } from './key-events.ts';
import { Keys } from './keys.ts';
import { LogSegments } from './log-segments.ts';
import { Pending } from './pending.ts';
import { RecentIds } from './recent-ids.ts';
import { RecordLayout } from './record-layout.ts';
import { Texts } from './texts.ts';

const NOTHING: WindowCheckpoint = {
  position: 0,
  replay: { offset: 0, maximum: null },
  maximum: null,
  frontier: null,
  flushed: 0,
};

/** Approximate bytes of a due event with its features. */
const DUE_BYTES = 320;

/**
 * Makes the windows of a partition, empty at first: with a checkpoint, add the log's records from `replay.offset` on.
 *
 * Apart from idle flushes, due events and their features depend on the log alone, not on when `takeDue` is called.
 */
export function createPartitionWindow(
  features: EventFeatures,
  limits: WindowLimits,
  checkpoint: WindowCheckpoint = NOTHING,
): PartitionWindow {
  return new Window(features, limits, checkpoint);
}

class Window implements PartitionWindow {
  readonly #definition: EventFeatures;
  readonly #limits: WindowLimits;
  /** The checkpoint it started from. */
  readonly #checkpoint: WindowCheckpoint;
  readonly #horizonMs: number;
  readonly #longestMs: number;
  readonly #layout: RecordLayout;
  readonly #texts = new Texts();
  readonly #ids: RecentIds;
  readonly #keys: Keys;
  readonly #pending = new Pending();
  readonly #segments: LogSegments;
  readonly #values: FeatureValues;
  readonly #record: Float64Array;
  #due: DueEvent[] = [];
  #position: number;
  #maximum: number;
  /** As of event: all events before this time were taken, and no later ones except by idle takes. */
  #frontier: number;
  #flushed: number;

  constructor(definition: EventFeatures, limits: WindowLimits, checkpoint: WindowCheckpoint) {
    this.#definition = definition;
    this.#limits = limits;
    this.#checkpoint = checkpoint;
    this.#horizonMs = horizonMs(definition);
    this.#longestMs = this.#horizonMs - definition.latenessMs;
    this.#layout = new RecordLayout(definition, this.#texts);
    this.#ids = new RecentIds(this.#horizonMs);
    const keepIds = definition.features.some(({ aggregate }) => aggregate === 'last');
    this.#segments = new LogSegments(2 * this.#horizonMs);
    const values = new FeatureValues(definition, this.#layout, this.#texts);
    this.#values = values;
    this.#keys = new Keys({ layout: this.#layout, keepIds, createRunning: () => values.createRunning() }, this.#horizonMs);
    this.#record = new Float64Array(this.#layout.width);
    this.#position = checkpoint.replay.offset;
    this.#maximum = checkpoint.replay.maximum ?? Number.NEGATIVE_INFINITY;
    this.#frontier = checkpoint.frontier ?? Number.NEGATIVE_INFINITY;
    this.#flushed = checkpoint.flushed;
  }

  get position(): number {
    return this.#position;
  }

  get rebuilding(): boolean {
    return this.#position < this.#checkpoint.position;
  }

  get keys(): number {
    return this.#keys.size;
  }

  get events(): number {
    return this.#keys.events;
  }

  get bytes(): number {
    const waiting = this.#pending.bytes + DUE_BYTES * this.#due.length;
    return this.#keys.bytes + this.#ids.bytes + this.#texts.bytes + waiting + this.#segments.bytes;
  }

  get pending(): number {
    return this.#pending.size + this.#due.length;
  }

  get due(): number {
    return this.#due.length;
  }

  add(event: StreamEvent): Verdict {
    const { offset, time } = event;
    if (offset < this.#position) throw new RangeError(`offset ${offset} is below the position ${this.#position}`);
    const wasScored = offset < this.#checkpoint.position;
    if (!wasScored) this.#complete();
    this.#position = offset + 1;
    const { latenessMs, skewMs } = this.#definition;
    if (time > event.timestamp + skewMs) return 'ahead of its timestamp';
    const before = this.#maximum;
    if (time > before) this.#maximum = time;
    this.#segments.add(offset, time, toTime(before));
    this.#segments.removeBefore(this.#keptFrom);
    const isDuplicate = this.#ids.see(event.id, time, this.#maximum);
    if (time > before) this.#advance();
    if (isDuplicate) return 'duplicate';
    if (time < this.#maximum - latenessMs) return 'late';
    this.#accept(event, wasScored);
    return 'accepted';
  }

  skipTo(position: number): void {
    if (position > this.#position) this.#position = position;
  }

  takeDue(idle = false, most = Number.POSITIVE_INFINITY): DueEvent[] {
    if (this.rebuilding) return [];
    this.#complete();
    if (this.#definition.asOf === 'arrival') return this.#takeFirst(this.#due.length);
    const due = this.#takeFirst(this.#wholeInstants(most));
    const [left] = this.#due;
    this.#frontier = left?.event.time ?? Math.max(this.#frontier, this.#maximum - this.#definition.latenessMs);
    if (idle && left === undefined && due.length < most && this.#pending.size > 0) this.#takeIdle(due, most - due.length);
    return due;
  }

  /** @throws Error as of arrival if events are due, since the checkpoint would say that they were scored */
  checkpoint(): WindowCheckpoint {
    if (this.rebuilding) return this.#checkpoint;
    this.#complete();
    const isArrival = this.#definition.asOf === 'arrival';
    if (isArrival && this.#due.length > 0) throw new Error('take the events that are due before a checkpoint');
    const maximum = toTime(this.#maximum);
    this.#segments.removeBefore(this.#keptFrom);
    return {
      position: this.#position,
      replay: this.#segments.first ?? { offset: this.#position, maximum },
      maximum,
      frontier: isArrival ? null : toTime(this.#frontier),
      flushed: this.#flushed,
    };
  }

  /** Events before this time no longer matter, not even as the first copy of a duplicate. */
  get #keptFrom(): number {
    const { asOf, latenessMs } = this.#definition;
    return (asOf === 'event' ? this.#frontier + latenessMs : this.#maximum) - 2 * this.#horizonMs;
  }

  /** After a rebuild: the event with the greatest time may not have been read again. */
  #complete(): void {
    const { maximum } = this.#checkpoint;
    if (maximum === null || maximum <= this.#maximum) return;
    this.#maximum = maximum;
    this.#advance();
  }

  #takeFirst(count: number): DueEvent[] {
    if (count < this.#due.length) return this.#due.splice(0, count);
    const due = this.#due;
    this.#due = [];
    return due;
  }

  /** Rounds down to due events that complete an instant: the frontier is a time. */
  #wholeInstants(most: number): number {
    if (most >= this.#due.length) return this.#due.length;
    const last = this.#due[most - 1]?.event.time;
    let count = most;
    while (count < this.#due.length && this.#due[count]?.event.time === last) count += 1;
    return count;
  }

  /** Takes all pending events by (time, offset), or the first ones by offset, so that those taken are below `flushed`. */
  #takeIdle(due: DueEvent[], most: number): void {
    const isAll = this.#pending.size <= most;
    const taken = isAll ? this.#pending.takeAll() : this.#pending.takeByOffset(most);
    for (const { event, key } of taken) due.push(this.#dueOf(event, key, true));
    this.#flushed = isAll ? this.#position : this.#pending.lowestOffset;
  }

  /** After the maximum moved: first releases what became due, then removes what no window reaches any more. */
  #advance(): void {
    this.#release(this.#maximum - this.#definition.latenessMs);
    this.#keys.removeBefore(this.#maximum - this.#horizonMs);
  }

  /** Makes pending events before a time due. */
  #release(before: number): void {
    while (this.#pending.earliest < before) {
      const next = this.#pending.pop();
      if (next !== undefined) this.#due.push(this.#dueOf(next.event, next.key, false));
    }
  }

  #accept(event: StreamEvent, wasScored: boolean): void {
    this.#layout.write(event, this.#record);
    const { key, id } = event;
    const oldest = this.#maximum - this.#horizonMs;
    const events = this.#keys.insert({ key, id, record: this.#record }, oldest, this.#limits.eventsPerKey);
    if (this.#definition.asOf === 'arrival') {
      if (!wasScored) this.#due.push(this.#dueOf(event, events, false));
    } else if (event.time >= this.#frontier && event.offset >= this.#flushed) {
      this.#pending.push(event, events);
    }
  }

  #dueOf(event: StreamEvent, events: KeyEvents, idle: boolean): DueEvent {
    const capped = event.time - this.#longestMs <= events.droppedTime;
    return { event, features: this.#values.of(event, events), capped, idle };
  }
}

function toTime(time: number): number | null {
  return Number.isFinite(time) ? time : null;
}

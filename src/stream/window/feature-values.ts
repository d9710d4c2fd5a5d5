import type { EventFeatures } from '../../event-features/definition.ts';
import type { FeatureValue, StreamEvent } from '../event.ts';
import type { Aggregate } from './aggregate.ts';
import { KeyEvents } from './key-events.ts';
import type { RecordLayout } from './record-layout.ts';
import { createScan } from './scans.ts';
import type { Texts } from './texts.ts';

/** Computes the features of events. */
export class FeatureValues {
  readonly #layout: RecordLayout;
  readonly #windows: readonly number[];
  readonly #starts: number[];
  readonly #features: readonly { readonly window: number; readonly compute: Aggregate }[];

  constructor({ features }: EventFeatures, layout: RecordLayout, texts: Texts) {
    this.#layout = layout;
    this.#windows = [...new Set(features.map(({ windowMs }) => windowMs))];
    this.#starts = this.#windows.map(() => 0);
    this.#features = features.map((feature) => ({
      window: this.#windows.indexOf(feature.windowMs),
      compute: createScan(feature, layout, texts),
    }));
  }

  /** @returns undefined if a sum overflows int64 */
  of(event: StreamEvent, events: KeyEvents): FeatureValue[] | undefined {
    if (events.hasDropped(event.time, event.offset)) return this.#ofItself(event);
    const { time, offset } = event;
    const to = events.newest <= time ? events.to : events.firstFrom(time + 1);
    for (let i = 0; i < this.#windows.length; i += 1) this.#starts[i] = events.firstFrom(time - (this.#windows[i] as number));
    const values: FeatureValue[] = [];
    for (const { window, compute } of this.#features) {
      const value = compute({ events, from: this.#starts[window] as number, to, time, offset });
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  /** An event that its key does not keep sees itself only. */
  #ofItself(event: StreamEvent): FeatureValue[] | undefined {
    const alone = new KeyEvents(event.key, this.#layout, true);
    const record = new Float64Array(this.#layout.width);
    this.#layout.write(event, record);
    alone.insert(record, event.id);
    const values = this.of(event, alone);
    alone.removeFirst();
    return values;
  }
}

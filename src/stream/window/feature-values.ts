import type { EventFeatures } from '../../event-features/definition.ts';
import type { FeatureValue, StreamEvent } from '../event.ts';
import { createAccumulator } from './accumulator.ts';
import type { Aggregate } from './aggregate.ts';
import { KeyEvents } from './key-events.ts';
import type { RecordLayout } from './record-layout.ts';
import { RunningValues } from './running-values.ts';
import { createScan } from './scans.ts';
import type { Texts } from './texts.ts';

interface PlacedFeature {
  readonly window: number;
  /** Position of the feature among those of its window. */
  readonly place: number;
  readonly scan: Aggregate;
}

/** Computes the features of events. */
export class FeatureValues {
  readonly #layout: RecordLayout;
  readonly #texts: Texts;
  readonly #definitions: EventFeatures['features'];
  readonly #windows: readonly number[];
  readonly #starts: number[];
  readonly #features: readonly PlacedFeature[];

  constructor({ features }: EventFeatures, layout: RecordLayout, texts: Texts) {
    this.#layout = layout;
    this.#texts = texts;
    this.#definitions = features;
    this.#windows = [...new Set(features.map(({ windowMs }) => windowMs))];
    this.#starts = this.#windows.map(() => 0);
    this.#features = features.map((feature, i) => ({
      window: this.#windows.indexOf(feature.windowMs),
      place: features.slice(0, i).filter(({ windowMs }) => windowMs === feature.windowMs).length,
      scan: createScan(feature, layout, texts),
    }));
  }

  /** For a key that has many events. */
  createRunning(): RunningValues {
    return new RunningValues(
      this.#windows.map((window) =>
        this.#definitions
          .filter(({ windowMs }) => windowMs === window)
          .map((feature) => createAccumulator(feature, this.#layout, this.#texts)),
      ),
    );
  }

  /** @returns undefined if a sum overflows int64 */
  of(event: StreamEvent, events: KeyEvents): FeatureValue[] | undefined {
    if (events.hasDropped(event.time, event.offset)) return this.#ofItself(event);
    const { time, offset } = event;
    const to = events.newest <= time ? events.to : events.firstFrom(time + 1);
    const { running } = events;
    for (let i = 0; i < this.#windows.length; i += 1) {
      const from = events.firstFrom(time - (this.#windows[i] as number));
      this.#starts[i] = from;
      running?.move(events, i, from, to);
    }
    const values: FeatureValue[] = [];
    for (const { window, place, scan } of this.#features) {
      const range = { events, from: this.#starts[window] as number, to, time, offset };
      const value = running === undefined ? scan(range) : running.value(window, place, range);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  /** For an event that its key has dropped: it sees only itself. */
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

import { type EventFeatures, horizonMs } from '../../../src/event-features/definition.ts';
import type { DueEvent, FeatureValue, StreamEvent } from '../../../src/stream/event.ts';
import type { PartitionWindow, WindowCheckpoint } from '../../../src/stream/partition-window.ts';
import { featuresOf } from './oracle.ts';

export function fakeWindow(features: EventFeatures, _limits: unknown, start: WindowCheckpoint): PartitionWindow {
  const { asOf, latenessMs: L, skewMs: S } = features;
  const H = horizonMs(features);
  let position = start.replay.offset;
  let M: number | null = start.replay.maximum;
  let flushed = start.flushed;
  let all: { event: StreamEvent; accepted: boolean; before: number | null; done: boolean }[] = [];
  let frontier = start.frontier;
  const self: PartitionWindow = {
    get position() {
      return position;
    },
    get rebuilding() {
      return position < start.position;
    },
    keys: 1,
    get events() {
      return all.length;
    },
    get bytes() {
      return all.length * 100;
    },
    get pending() {
      return all.filter(({ accepted, done }) => accepted && !done).length;
    },
    add(event) {
      if (event.offset < position) throw new RangeError('offset');
      position = event.offset + 1;
      if (event.time > event.timestamp + S) return 'ahead of its timestamp';
      const before = M;
      M = Math.max(M ?? event.time, event.time);
      const max = M;
      const same = all.filter((one) => one.event.id === event.id).map((one) => one.event.time);
      const duplicate = same.length > 0 && Math.max(...same) >= max - H;
      const late = event.time < max - L;
      const accepted = !duplicate && !late;
      const done =
        event.offset < start.position &&
        (asOf === 'arrival' || event.offset < start.flushed || (start.frontier !== null && event.time < start.frontier));
      all.push({ event, accepted, before, done });
      return duplicate ? 'duplicate' : late ? 'late' : 'accepted';
    },
    skipTo(next) {
      position = Math.max(position, next);
    },
    takeDue(idle = false) {
      if (self.rebuilding) return [];
      if (asOf === 'event' && M !== null) frontier = Math.max(frontier ?? M - L, M - L);
      const f = frontier;
      const due = all.filter(({ event, accepted, done }) => {
        return accepted && !done && (asOf === 'arrival' || idle || (f !== null && event.time < f));
      });
      if (asOf === 'event') due.sort((a, b) => a.event.time - b.event.time || a.event.offset - b.event.offset);
      if (idle) flushed = position;
      const events = all.filter(({ accepted }) => accepted).map(({ event }) => event);
      return due.map((one): DueEvent => {
        one.done = true;
        const values: FeatureValue[] = featuresOf(one.event, events, asOf);
        return { event: one.event, features: values, capped: false, idle: idle && !(f !== null && one.event.time < f) };
      });
    },
    checkpoint() {
      const bound = M === null ? null : M - 2 * H;
      const first = all.find(({ event }) => bound !== null && event.time >= bound);
      const replay =
        M === null || first === undefined
          ? { offset: position, maximum: M }
          : { offset: first.event.offset, maximum: first.before };
      all = all.filter(({ event }) => event.offset >= replay.offset);
      return { position, replay, maximum: M, frontier: asOf === 'event' ? frontier : null, flushed };
    },
  };
  return self;
}

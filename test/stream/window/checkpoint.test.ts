import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventFeatures, horizonMs } from '../../../src/event-features/definition.ts';
import type { DueEvent, StreamEvent } from '../../../src/stream/event.ts';
import type { PartitionWindow, WindowCheckpoint } from '../../../src/stream/partition-window.ts';
import { createPartitionWindow } from '../../../src/stream/window/window.ts';
import { definitions, logs } from './logs.ts';

/** What is done after an event; `some` takes about two. */
type Step =
  | 'take some'
  | 'take idle some'
  | 'take some, restart'
  | 'take idle some, restart'
  | 'nothing'
  | 'take'
  | 'take idle'
  | 'take, restart'
  | 'take idle, restart'
  | 'restart';

const LIMITS = fc.record({ eventsPerKey: fc.constantFrom(1, 2, 5, 1000) });

describe('a window rebuilt from its checkpoint', () => {
  it('continues as if nothing had happened, wherever it is cut', () => {
    const steps = fc.constantFrom<Step>('nothing', 'nothing', 'take', 'take idle', 'take, restart', 'take idle, restart');
    fc.assert(
      fc.property(definitions, logs, LIMITS, fc.infiniteStream(steps), (definition, log, limits, plan) => {
        const todo = log.map(() => plan.next().value ?? 'nothing');
        const whole = todo.map((step) => step.replace(', restart', '') as Step);
        expect(run(definition, log, limits, todo)).toEqual(run(definition, log, limits, whole));
      }),
      { numRuns: 600 },
    );
  });

  it('as of event, continues after takes of a part, idle or not', () => {
    const parts = ['take some', 'take idle some', 'take some, restart', 'take idle some, restart', 'take idle'] as const;
    const steps = fc.constantFrom<Step>('nothing', 'restart', 'take', ...parts);
    fc.assert(
      fc.property(definitions, logs, LIMITS, fc.infiniteStream(steps), (random, log, limits, plan) => {
        const definition: EventFeatures = { ...random, asOf: 'event' };
        const todo = log.map(() => plan.next().value ?? 'nothing');
        const whole = todo.map((step) => (step === 'restart' ? 'nothing' : (step.replace(', restart', '') as Step)));
        const { due, accepted, ...rest } = run(definition, log, limits, todo);
        expect({ due, accepted, ...rest }).toEqual(run(definition, log, limits, whole));
        const all = run(definition, log, limits, [...todo.slice(0, -1), 'take idle']);
        expect(all.due.map(({ event }) => event.offset).sort(byNumber)).toEqual(all.accepted);
        // What is not idle comes as if it was taken at once.
        const inOrder = due.filter(({ idle }) => !idle).map(({ event }) => event);
        for (const [i, event] of inOrder.entries()) {
          const before = inOrder[i - 1];
          expect(
            before === undefined || before.time < event.time || (before.time === event.time && before.offset < event.offset),
          ).toBe(true);
        }
      }),
      { numRuns: 600 },
    );
  });

  it('as of event, finds what was due and not taken, too', () => {
    const steps = fc.constantFrom<Step>('nothing', 'nothing', 'take', 'restart');
    fc.assert(
      fc.property(definitions, logs, LIMITS, fc.infiniteStream(steps), (random, log, limits, plan) => {
        const definition: EventFeatures = { ...random, asOf: 'event' };
        const todo = log.map(() => plan.next().value ?? 'nothing');
        const whole = todo.map((step) => (step === 'restart' ? 'nothing' : step));
        expect(run(definition, log, limits, todo)).toEqual(run(definition, log, limits, whole));
      }),
      { numRuns: 300 },
    );
  });

  it('takes nothing twice and leaves nothing out, idle or not', () => {
    const steps = fc.constantFrom<Step>('nothing', 'take', 'take idle', 'take, restart', 'take idle, restart');
    fc.assert(
      fc.property(definitions, logs, LIMITS, fc.infiniteStream(steps), (definition, log, limits, plan) => {
        const todo = log.map(() => plan.next().value ?? 'nothing');
        const { due, accepted } = run(definition, log, limits, [...todo.slice(0, -1), 'take idle']);
        expect(due.map(({ event }) => event.offset).sort(byNumber)).toEqual(accepted);
      }),
      { numRuns: 300 },
    );
  });

  it('reads not much more than what may still matter', () => {
    fc.assert(
      fc.property(definitions, logs, (definition, log) => {
        const window = createPartitionWindow(definition, { eventsPerKey: 1000 });
        for (const event of log) {
          window.add(event);
          window.takeDue();
        }
        const { replay, maximum, position } = window.checkpoint();
        const span = 2 * horizonMs(definition);
        const valid = log.filter(({ time, timestamp }) => time <= timestamp + definition.skewMs);
        const first = valid.find(({ time }) => time >= (maximum ?? 0) - span);
        expect(replay.offset).toBeLessThanOrEqual(first?.offset ?? position);
        const before = valid.filter(({ offset }) => offset < (first?.offset ?? 0));
        const tooMuch = before.filter(({ offset }) => offset >= replay.offset);
        expect(replay.maximum).toBe(greatest(before.filter(({ offset }) => offset < replay.offset)));
        const start = replay.maximum ?? tooMuch[0]?.time ?? 0;
        expect((greatest(tooMuch.slice(0, -1)) ?? start) - start).toBeLessThan(Math.max(1, Math.ceil(span / 256)));
      }),
      { numRuns: 300 },
    );
  });

  it('as of arrival, refuses a checkpoint of what was not taken', () => {
    const definition: EventFeatures = {
      ...(fc.sample(definitions, { numRuns: 1, seed: 1 })[0] as EventFeatures),
      asOf: 'arrival',
    };
    const window = createPartitionWindow(definition, { eventsPerKey: 10 });
    window.add({ offset: 3, timestamp: 5, key: 'k', id: 'a', time: 5, values: ['a', 'k', 5, null, null, null, null] });
    expect(() => window.checkpoint()).toThrow('take the events that are due');
    window.takeDue();
    expect(window.checkpoint()).toEqual({
      position: 4,
      replay: { offset: 3, maximum: null },
      maximum: 5,
      frontier: null,
      flushed: 0,
    });
    expect(() => window.add({ offset: 3, timestamp: 5, key: 'k', id: 'b', time: 5, values: [] })).toThrow(RangeError);
  });
});

/** Adds a log event by event, and takes and restarts as it is told. */
function run(definition: EventFeatures, log: readonly StreamEvent[], limits: { eventsPerKey: number }, steps: readonly Step[]) {
  let window = createPartitionWindow(definition, limits);
  const due: DueEvent[] = [];
  const accepted: number[] = [];
  const verdicts = log.map((event, i) => {
    const verdict = window.add(event);
    if (verdict === 'accepted') accepted.push(event.offset);
    const step = steps[i] ?? 'nothing';
    if (step.startsWith('take')) {
      const most = step.includes('some') ? 2 : Number.POSITIVE_INFINITY;
      due.push(...window.takeDue(step.startsWith('take idle'), most));
    }
    if (step.endsWith('restart')) window = rebuilt(definition, log, limits, window);
    return verdict;
  });
  const { replay: _, ...checkpoint } =
    definition.asOf === 'event' || window.pending === 0 ? window.checkpoint() : { replay: 0 };
  due.push(...window.takeDue());
  return { verdicts, due, accepted, checkpoint, pending: window.pending };
}

function rebuilt(
  definition: EventFeatures,
  log: readonly StreamEvent[],
  limits: { eventsPerKey: number },
  before: PartitionWindow,
): PartitionWindow {
  const checkpoint: WindowCheckpoint = JSON.parse(JSON.stringify(before.checkpoint()));
  const window = createPartitionWindow(definition, limits, checkpoint);
  expect(window.position).toBe(checkpoint.replay.offset);
  for (const event of log) {
    if (event.offset < checkpoint.replay.offset || event.offset >= checkpoint.position) continue;
    expect(window.rebuilding).toBe(true);
    expect(window.takeDue(true)).toEqual([]);
    expect(window.checkpoint()).toEqual(checkpoint);
    window.add(event);
  }
  window.skipTo(checkpoint.position);
  expect(window.rebuilding).toBe(false);
  const { replay, ...rest } = window.checkpoint();
  expect({ ...rest, replay: checkpoint.replay }).toEqual(checkpoint);
  expect(replay.offset).toBeGreaterThanOrEqual(checkpoint.replay.offset);
  expect(window.pending).toBe(before.pending);
  return window;
}

function greatest(events: readonly StreamEvent[]): number | null {
  return events.length === 0 ? null : Math.max(...events.map(({ time }) => time));
}

function byNumber(a: number, b: number): number {
  return a - b;
}

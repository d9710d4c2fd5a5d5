import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StreamEvent } from '../../../src/stream/event.ts';
import { createPartitionWindow } from '../../../src/stream/window/window.ts';
import { definitions, hotLogs, logs } from './logs.ts';
import { expectedOf } from './oracle.ts';

it.each([
  { of: 'few events a key', arbitrary: logs, caps: [1, 2, 5, 1000], numRuns: 1000 },
  { of: 'many events a key', arbitrary: hotLogs, caps: [70, 100, 1000], numRuns: 150 },
])('computes what the meaning of features says, however often due events are taken: $of', ({ arbitrary, caps, numRuns }) => {
  fc.assert(
    fc.property(
      definitions,
      arbitrary,
      fc.infiniteStream(fc.boolean()),
      fc.constantFrom(...caps),
      (definition, log, takes, eventsPerKey) => {
        const window = createPartitionWindow(definition, { eventsPerKey });
        const verdicts = [];
        const due = [];
        for (const event of log) {
          verdicts.push(window.add(event));
          if (takes.next().value) due.push(...window.takeDue());
        }
        due.push(...window.takeDue());
        const expected = expectedOf(definition, log, eventsPerKey);
        expect(verdicts).toEqual(expected.verdicts);
        expect(due.map(withoutSigns)).toEqual(expected.due.map(withoutSigns));
        expect(window.pending).toBe(verdicts.filter((verdict) => verdict === 'accepted').length - due.length);
      },
    ),
    { numRuns },
  );
});

/** A window gives 0 for -0, as JSON does. */
function withoutSigns<T extends { event: StreamEvent; features: readonly unknown[] | undefined }>(due: T): T {
  return { ...due, features: due.features?.map((value) => (Object.is(value, -0) ? 0 : value)) };
}

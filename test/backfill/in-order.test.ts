import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { workInOrder } from '../../src/backfill/in-order.ts';

const INPUT = {
  /** Milliseconds before and after the turn. */
  items: fc.array(fc.record({ before: fc.nat(4), after: fc.nat(4), fails: fc.boolean() }), { maxLength: 8 }),
  atOnce: fc.integer({ min: 1, max: 4 }),
  stops: fc.boolean(),
};

it('never has more at once than allowed, takes turns in order, ends, and begins nothing after a failure that stops it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record(INPUT), async ({ items, atOnce, stops }) => {
      let running = 0;
      let most = 0;
      const begun: number[] = [];
      const ended = new Set<number>();
      const inTurn: number[] = [];
      const results = await workInOrder(
        [...items.entries()],
        { atOnce, goOn: (failed) => !(stops && failed) },
        async ([i, { before, after, fails }], { earlierEnded }) => {
          begun.push(i);
          running += 1;
          most = Math.max(most, running);
          await sleep(before);
          // A failure while scoring never comes to its turn.
          if (!fails) {
            await earlierEnded();
            expect([...begun].filter((other) => other < i && !ended.has(other))).toEqual([]);
            inTurn.push(i);
            await sleep(after);
          }
          running -= 1;
          ended.add(i);
          return fails;
        },
      );
      expect(most).toBeLessThanOrEqual(atOnce);
      expect(begun).toEqual(begun.toSorted((a, b) => a - b));
      expect(inTurn).toEqual(inTurn.toSorted((a, b) => a - b));
      expect(results).toEqual(items.slice(0, results.length).map(({ fails }) => fails));
      const first = items.findIndex(({ fails }) => fails);
      if (!stops || first < 0) expect(results).toHaveLength(items.length);
      else expect(results.length).toBeLessThan(first + 1 + atOnce);
    }),
    { numRuns: 60 },
  );
});

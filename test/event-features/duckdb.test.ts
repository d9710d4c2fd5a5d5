import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventTable } from './duckdb.ts';
import { acceptedRows, everyFeature, expectedRows, rowsOf, smallLogs, T } from './logs.ts';

const table = eventTable();

it.each(['event', 'arrival'] as const)(
  'as of %s, DuckDB computes what the rules say, whatever came in which order',
  async (asOf) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 12 }).chain((window) => fc.tuple(fc.constant(window), smallLogs(window))),
        fc.constantFrom([0, 0], [3, 0], [4, 2], [8, 8]),
        fc.integer({ min: -5, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        async ([window, log], [lateness = 0, skew = 0], from, length) => {
          const features = everyFeature({ asOf, lateness, skew, window });
          const span = [T + from, T + from + length] as const;
          expect(await table.read(features, rowsOf(log), span)).toEqual(expectedRows(features, log, span));
        },
      ),
      { numRuns: 100 },
    );
  },
);

it('without columns of the log, every row is an accepted event', async () => {
  await fc.assert(
    fc.asyncProperty(smallLogs(8), async (log) => {
      const spans = { asOf: 'event', lateness: 3, skew: 1, window: 8 } as const;
      const [features, plain] = [everyFeature(spans), everyFeature({ ...spans, logged: false })];
      const span = [T + 5, T + 60] as const;
      expect(await table.read(plain, acceptedRows(features, log), span)).toEqual(expectedRows(features, log, span));
    }),
    { numRuns: 50 },
  );
});

it('as of event, a key that is not the message key sees its events of all partitions', async () => {
  await fc.assert(
    fc.asyncProperty(smallLogs(8, { shared: true }), async (log) => {
      const features = everyFeature({ asOf: 'event', lateness: 3, skew: 1, window: 8 });
      const span = [T - 10, T + 60] as const;
      expect(await table.read(features, rowsOf(log), span)).toEqual(expectedRows(features, log, span));
    }),
    { numRuns: 50 },
  );
});

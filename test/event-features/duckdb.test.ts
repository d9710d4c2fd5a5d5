import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventTable } from './duckdb.ts';
import { everyFeature, expectedRows, rowsOf, smallLogs, T } from './logs.ts';

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
      { numRuns: 150 },
    );
  },
);

import { describe, expect, it } from 'vitest';
import { publishedIn } from '../crash/aftermath.ts';
import { missing } from '../crash/project.ts';
import type { Fate } from '../support/breaking-proxy.ts';
import { disturbed, expectedOf, PATIENT, untilPublished } from './disturbed.ts';

// The Storage API, which answers in gRPC: what breaks is the connection. After some bytes its greeting has come, after more
// the session of a read, and then rows.

const FATES: Readonly<Record<string, Fate>> = {
  'is cut before anything comes': (nth) => (nth === 1 ? { after: 0, end: 'cut' } : undefined),
  'is cut among the rows': (nth) => (nth <= 2 ? { after: 1500, end: 'cut' } : undefined),
  'falls silent at once': (nth) => (nth === 1 ? { after: 0, end: 'stall' } : undefined),
  'falls silent among the rows': (nth) => (nth <= 2 ? { after: 1500, end: 'stall' } : undefined),
};

// Without an emulator; the last line of the output says why there is none.
describe.skipIf(missing.bigquery)('a connection to the Storage API', () => {
  it.each(Object.entries(FATES))('that %s', PATIENT, async (_, fate) => {
    const project = await disturbed('bigquery', () => undefined, fate);
    await untilPublished(project);
    expect(project.broken()).toBeGreaterThan(0);
    expect(await publishedIn(project)).toEqual(await expectedOf('bigquery'));
  });
});

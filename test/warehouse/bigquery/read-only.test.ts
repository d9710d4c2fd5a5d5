import { describe, expect, it } from 'vitest';
import { openBigquery } from '../../../src/warehouse/bigquery/open.ts';
import { canEstimate } from '../../../src/warehouse/source-capabilities.ts';
import { environment, KINDS, makeProject, REAL } from './subject.ts';

// What can be asked of BigQuery itself without making anything there; see subject.ts.

const found = environment();

// Without an emulator (the last line of the output says why) or a real one; see subject.ts.
describe.skipIf(found === undefined)('BigQuery, only read', () => {
  it('is reached, describes every kind of column, estimates, and answers', async () => {
    const { source, reach, close } = openBigquery({
      url: REAL ?? (await makeProject()),
      job: 'read only',
      root: '/',
      scratch: 'scratch',
      memory: 1e8,
      maxBytes: 10 * 2 ** 20,
      environment: found ?? {},
      warn: () => undefined,
      signal: new AbortController().signal,
    });
    await reach();
    const list = KINDS.map(({ column, expressions }) => `${expressions[0]} as ${column.name}`);
    const query = { name: 'q', texts: [`select ${list.join(', ')}`], parameters: [] };
    expect(await source.describe(query)).toEqual(KINDS.map(({ column }) => column));
    expect(canEstimate(source) && (await source.estimate(query))).toBe(0);
    const at = { name: 'window_start', type: 'timestamp', value: '2026-11-16T05:00:00.000Z' } as const;
    const ready = (comparison: string) =>
      source.ready({ name: 'ready', texts: ['select ', ` ${comparison}`], parameters: [at] });
    expect(await ready(`= timestamp '2026-11-16 00:00:00-05'`)).toBe(true);
    expect(await ready(`< timestamp '2026-11-16 00:00:00-05'`)).toBe(false);
    await expect(source.describe({ ...query, texts: ['select nothing from nowhere.nobody'] })).rejects.toMatchObject({
      kind: 'configuration',
    });
    await close();
  });
});

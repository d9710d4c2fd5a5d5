import { describe, expect, it } from 'vitest';
import type { WarehouseKind } from '../../src/domain/warehouse-kind.ts';
import { EMPTY, expectedCsv, FILL, leftInScratch, missing, replaced, runWeek } from './week.ts';

// What every pair of warehouses gives is held against the report of the embedded one, byte by byte.

describe('the weekly job', () => {
  const within = (kind: WarehouseKind) => async () => {
    const url = await FILL[kind]();
    const first = await runWeek(url, url);
    expect(first.csv).toBe(await expectedCsv());
    expect(first.csv.split('\n')).toHaveLength(1 + 2053 + 1);
    // Once more, from another checkout: a new run replaces the old one, and nobody reads another number.
    const second = await runWeek(url, url);
    expect(second.csv).toBe(first.csv);
    expect(second.runs.map(({ state, current, rows }) => ({ state, current, rows }))).toEqual([
      { state: 'completed', current: false, rows: { frozen: 2053, scored: 2053, quarantined: 0 } },
      { state: 'completed', current: true, rows: { frozen: 2053, scored: 2053, quarantined: 0 } },
    ]);
    expect(await leftInScratch(url)).toEqual([]);
  };
  // Without an emulator; the last line of the output says why there is none.
  it.skipIf(missing.bigquery)('gives the same report within BigQuery', within('bigquery'));
  it.skipIf(missing.snowflake)('gives the same report within Snowflake', within('snowflake'));

  it.skipIf(missing.snowflake)('gives the same report where Snowflake unloads its chunks', async () => {
    const url = await FILL.snowflake();
    const { csv } = await runWeek(url, url, { edit: (job) => replaced(job, 'source:', 'source:\n  unload: true') });
    expect(csv).toBe(await expectedCsv());
    expect(await leftInScratch(url)).toEqual([]);
  });

  it.for<[WarehouseKind, WarehouseKind]>([
    ['bigquery', 'snowflake'],
    ['snowflake', 'bigquery'],
    ['bigquery', 'duckdb'],
    ['snowflake', 'duckdb'],
    ['duckdb', 'bigquery'],
    ['duckdb', 'snowflake'],
  ])('gives the same report from %s to %s', async ([from, to], { skip }) => {
    skip(missing[from] || missing[to], 'the emulator is not there');
    const [source, sink] = [await FILL[from](), await EMPTY[to]()];
    const { csv, runs } = await runWeek(source, sink);
    expect(csv).toBe(await expectedCsv());
    expect(runs).toMatchObject([{ state: 'completed', current: true }]);
    expect([await leftInScratch(source), await leftInScratch(sink)]).toEqual([[], []]);
  });
});

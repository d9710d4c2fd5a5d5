import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScoreBatchError } from '../../src/errors.ts';
import {
  fitToMemory,
  type Load,
  type MemoryBound,
  type MemoryPlan,
  MIB,
  mainDatabase,
  ownBound,
  requestedBound,
} from '../../src/sizing/memory-plan.ts';

const LOAD: Load = {
  workers: 2,
  batchRows: 8192,
  chunkRows: 250_000,
  rowBytes: 592,
  encodedBytes: 80,
  modelBytes: 24_000,
  cores: 2,
  local: true,
};

function bound(mebibytes: number, from: MemoryBound['from'] = 'call'): MemoryBound {
  return { bytes: mebibytes * MIB, from };
}

function refusal(work: () => unknown): ScoreBatchError {
  try {
    work();
  } catch (error) {
    if (error instanceof ScoreBatchError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('the bound', () => {
  it("is the call's, else the job's", () => {
    expect(requestedBound(512 * MIB, 1e9)).toEqual({ bytes: 512 * MIB, from: 'call' });
    expect(requestedBound(undefined, 1e9)).toEqual({ bytes: 1e9, from: 'job' });
    expect(requestedBound(undefined, undefined)).toBeUndefined();
  });

  it('is what the workers take where nobody set one, and not more than the machine has to give', () => {
    const large = ownBound(64 * 1024 * MIB, LOAD);
    expect(fitToMemory(large, LOAD, false)).toMatchObject({ workers: 2, batchRows: 8192, chunkRows: 250_000 });
    expect(large.bytes / MIB).toBeLessThanOrEqual(512);
    expect(ownBound(64 * 1024 * MIB, { ...LOAD, workers: 16 }).bytes).toBeGreaterThan(large.bytes);
    expect(ownBound(500 * MIB, LOAD)).toEqual({ bytes: 400 * MIB, from: 'machine' });
  });
});

describe('a load is fitted to the bound', () => {
  it('by smaller databases first, then by fewer rows, then by fewer workers', () => {
    const wide = { ...LOAD, workers: 4, rowBytes: 20_000, chunkRows: 1_000_000 };
    const steps = [4096, 1000, 860, 740, 600, 450, 415].map((mebibytes) => fitToMemory(bound(mebibytes), wide, false));
    const shown = steps.map(
      ({ database, batchRows, chunkRows, workers }) =>
        `${Math.round(database / MIB)} MiB, batches of ${batchRows}, chunks of ${chunkRows}, ${workers} workers`,
    );
    expect(shown).toMatchInlineSnapshot(`
      [
        "539 MiB, batches of 8192, chunks of 1000000, 4 workers",
        "54 MiB, batches of 4096, chunks of 1000000, 4 workers",
        "57 MiB, batches of 2048, chunks of 1000000, 4 workers",
        "48 MiB, batches of 1024, chunks of 1000000, 4 workers",
        "41 MiB, batches of 256, chunks of 250000, 4 workers",
        "69 MiB, batches of 256, chunks of 10000, 2 workers",
        "55 MiB, batches of 256, chunks of 10000, 2 workers",
      ]
    `);
    const given = (step: MemoryPlan) => [step.database, step.batchRows, step.chunkRows, step.workers];
    for (const [i, step] of steps.entries()) {
      const before = given(steps[i - 1] ?? step);
      expect(given(step).filter((part, j) => part > (before[j] ?? 0) && j > 0)).toEqual([]);
    }
  });

  it('but chunks that are cut already stay as they are', () => {
    const large = { ...LOAD, chunkRows: 5_000_000 };
    expect(fitToMemory(bound(410), { ...large, chunkRows: 50_000_000 }, false).chunkRows).toBeLessThan(5_000_000);
    expect(fitToMemory(bound(460), large, true)).toMatchObject({ chunkRows: 5_000_000, workers: 1 });
    expect(refusal(() => fitToMemory(bound(320), large, true)).message).toMatch(/^a memory bound of 320 MiB is too small/);
  });

  it('never beyond the bound, and the least that is named works', () => {
    const loads = fc.record({
      workers: fc.integer({ min: 1, max: 256 }),
      batchRows: fc.integer({ min: 1, max: 1_000_000 }),
      chunkRows: fc.integer({ min: 1, max: 5_000_000 }),
      rowBytes: fc.integer({ min: 1, max: 100_000 }),
      encodedBytes: fc.integer({ min: 1, max: 10_000 }),
      modelBytes: fc.integer({ min: 100, max: 2 ** 31 }),
      cores: fc.integer({ min: 1, max: 64 }),
      local: fc.boolean(),
      widest: fc.option(
        fc.record({
          column: fc.constant('note'),
          rows: fc.integer({ min: 1, max: 122_880 }),
          bytes: fc.integer({ min: 1, max: 200 * MIB }),
          largest: fc.constant(undefined),
        }),
        { nil: undefined },
      ),
    });
    fc.assert(
      fc.property(loads, fc.integer({ min: 1, max: 16_384 }), fc.boolean(), (load, mebibytes, cut) => {
        const given = bound(mebibytes);
        try {
          const allotment = fitToMemory(given, load, cut);
          expect(allotment.peak).toBeLessThanOrEqual(given.bytes * 1.0001);
          expect(allotment.workers).toBeGreaterThanOrEqual(1);
          expect(allotment.batchRows).toBeGreaterThanOrEqual(1);
          if (cut) expect(allotment.chunkRows).toBe(load.chunkRows);
        } catch (error) {
          const [, least = ''] = /takes ([\d,]+) MiB at least/.exec((error as Error).message) ?? [];
          expect(fitToMemory(bound(Number(least.replaceAll(',', ''))), load, cut).workers).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});

describe('rows that are wider than usual', () => {
  const widest = { column: 'note', rows: 100, bytes: 40_000_000, largest: 39_000_000 };
  const wide = { ...LOAD, widest };

  it('get more memory where nobody set a bound, and less than the machine has', () => {
    const usual = ownBound(64 * 1024 * MIB, LOAD);
    const given = ownBound(64 * 1024 * MIB, wide);
    expect(given.bytes).toBeGreaterThan(usual.bytes);
    expect(fitToMemory(given, wide, true).database).toBeGreaterThanOrEqual(8 * widest.bytes);
    expect(fitToMemory(usual, LOAD, true).database).toBeLessThanOrEqual(64 * MIB);
  });

  it('are refused by their column and size where a bound is too small, with one that works', () => {
    const error = refusal(() => fitToMemory(bound(512), wide, true));
    expect(error.details).toEqual([
      '100 rows that are read together have 40 MB, most of it in note; its largest value has 39 MB',
    ]);
    const [, least = ''] = /^set the bound to (\d+)MiB, or shorten note in the query$/.exec(error.hint ?? '') ?? [];
    expect(fitToMemory(bound(Number(least)), wide, true).database).toBeGreaterThanOrEqual(8 * widest.bytes);
  });
});

it.each<[MemoryBound['from'], string, string]>([
  ['call', 'usage', 'a memory bound of 100 MiB is too small'],
  ['job', 'configuration', 'score.max_memory of 100 MiB is too small'],
  ['machine', 'configuration', 'there is too little memory: 100 MiB of it may be used here'],
])('too small a bound of the %s is refused with the least that works', (from, kind, text) => {
  const error = refusal(() => mainDatabase(bound(100, from), LOAD));
  expect(error.kind).toBe(kind);
  expect(error.message).toContain(`${text}: this job takes `);
  expect(error.hint).not.toBe('');
});

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

  it("is by default what the workers need, within the machine's share", () => {
    const large = ownBound(64 * 1024 * MIB, LOAD);
    expect(fitToMemory(large, LOAD, false)).toMatchObject({ workers: 2, batchRows: 8192, chunkRows: 250_000 });
    expect(large.bytes / MIB).toBeLessThanOrEqual(512);
    expect(ownBound(64 * 1024 * MIB, { ...LOAD, workers: 16 }).bytes).toBeGreaterThan(large.bytes);
    expect(ownBound(500 * MIB, LOAD)).toEqual({ bytes: 400 * MIB, from: 'machine' });
  });
});

describe('fitToMemory', () => {
  it('shrinks databases first, then rows, then the number of workers', () => {
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

  it('counts the classes of each row of a chunk, if all are published', () => {
    const classes = { ...LOAD, classBytes: 8 * 101 };
    expect(fitToMemory(bound(600), classes, false).chunkRows).toBeLessThan(fitToMemory(bound(600), LOAD, false).chunkRows);
  });

  it('keeps chunks that already exist', () => {
    const large = { ...LOAD, chunkRows: 5_000_000 };
    expect(fitToMemory(bound(410), { ...large, chunkRows: 50_000_000 }, false).chunkRows).toBeLessThan(5_000_000);
    expect(fitToMemory(bound(460), large, true)).toMatchObject({ chunkRows: 5_000_000, workers: 1 });
    expect(refusal(() => fitToMemory(bound(320), large, true)).message).toMatch(/^a memory bound of 320 MiB is too small/);
  });

  it('never exceeds the bound, and the minimum that a refusal names works', () => {
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
          const memoryPlan = fitToMemory(given, load, cut);
          expect(memoryPlan.peak).toBeLessThanOrEqual(given.bytes * 1.0001);
          expect(memoryPlan.workers).toBeGreaterThanOrEqual(1);
          expect(memoryPlan.batchRows).toBeGreaterThanOrEqual(1);
          if (cut) expect(memoryPlan.chunkRows).toBe(load.chunkRows);
        } catch (error) {
          const [, least = ''] = /needs at least ([\d,]+) MiB/.exec((error as Error).message) ?? [];
          expect(fitToMemory(bound(Number(least.replaceAll(',', ''))), load, cut).workers).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});

describe('wide rows', () => {
  const widest = { column: 'note', rows: 100, bytes: 40_000_000, largest: 39_000_000 };
  const wide = { ...LOAD, widest };

  it("get more memory by default, within the machine's share", () => {
    const usual = ownBound(64 * 1024 * MIB, LOAD);
    const given = ownBound(64 * 1024 * MIB, wide);
    expect(given.bytes).toBeGreaterThan(usual.bytes);
    expect(fitToMemory(given, wide, true).database).toBeGreaterThanOrEqual(8 * widest.bytes);
    expect(fitToMemory(usual, LOAD, true).database).toBeLessThanOrEqual(64 * MIB);
  });

  it('are refused with their column, their size and a bound that works if the bound is too small', () => {
    const error = refusal(() => fitToMemory(bound(512), wide, true));
    expect(error.details).toEqual([
      '100 rows that are read together take 40 MB, most of that in note; its largest value has 39 MB',
    ]);
    const [, least = ''] = /^set the bound to (\d+)MiB, or shorten note in the query$/.exec(error.hint ?? '') ?? [];
    expect(fitToMemory(bound(Number(least)), wide, true).database).toBeGreaterThanOrEqual(8 * widest.bytes);
  });
});

it.each<[MemoryBound['from'], string, string]>([
  ['call', 'usage', 'a memory bound of 100 MiB is too small'],
  ['job', 'configuration', 'score.max_memory of 100 MiB is too small'],
  ['machine', 'configuration', 'there is too little memory: score-batch can use 100 MiB'],
])('refuses a too small bound of the %s with the minimum that works', (from, kind, text) => {
  const error = refusal(() => mainDatabase(bound(100, from), LOAD));
  expect(error.kind).toBe(kind);
  expect(error.message).toContain(`${text}: this job needs at least `);
  expect(error.hint).not.toBe('');
});

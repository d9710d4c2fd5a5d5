import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadBundle } from '../../../src/model/bundle.ts';
import type { ModelRun } from '../../../src/model/model-run.ts';
import { createModelRun } from '../../../src/model/model-run.ts';
import { openSession } from '../../../src/runtime/session.ts';
import { createQueue } from '../../../src/serve/score/queue.ts';
import { repository } from '../../support/project.ts';
import { CHURN, IRIS } from '../served.ts';
import { loaded } from './loaded.ts';
import { randomCells, requestOf, rowsOf } from './requests.ts';

const LGBM = repository('bench', 'lgbm');
const FIXTURES = repository('test', 'fixtures', 'models');
const ROWS = 400;

describe.each([IRIS, CHURN, LGBM, `${FIXTURES}/mixed`, `${FIXTURES}/fixed-eight`, `${FIXTURES}/fixed-one`])('%s', (folder) => {
  it('gives each row the bits that it has alone, however requests share runs', async () => {
    const model = await loaded(folder);
    expect(model.sameBits).toBe(true);
    const cells = randomCells(model, ROWS, 17);
    const alone: (readonly unknown[])[] = [];
    for (const row of cells) alone.push(...rowsOf(await model.score(requestOf(model, [row]))));
    // Both kinds of rows are among them.
    expect(new Set(alone.map(([rejected]) => rejected === 0))).toEqual(new Set([true, false]));
    const request = fc.record({
      rows: fc.oneof(fc.constant<number[]>([0]), fc.array(fc.nat(ROWS - 1), { minLength: 1, maxLength: 70 })),
      /** Turns of the event loop that pass before it. */
      turns: fc.constantFrom(0, 0, 0, 1, 2),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 12 }), async (requests) => {
        const answers = [];
        for (const { rows, turns } of requests) {
          for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
          answers.push(
            model.score(
              requestOf(
                model,
                rows.map((row) => cells[row] ?? []),
              ),
            ),
          );
        }
        const found = (await Promise.all(answers)).map(rowsOf);
        expect(found).toEqual(requests.map(({ rows }) => rows.map((row) => alone[row])));
        expect(model.queuedRows()).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

it('gives each row the bits that it has alone in the largest request too', async () => {
  // With more than 16,384 values the classifier sums in another order: such a request is scored in parts.
  const model = await loaded(IRIS, { limits: { rows: 50_000 } });
  expect(model).toMatchObject({ sameBits: true, maxRows: 50_000 });
  expect(model.runRows * 3).toBeLessThanOrEqual(16_384);
  const cells = randomCells(model, 100, 5);
  const alone: (readonly unknown[])[] = [];
  for (const row of cells) alone.push(...rowsOf(await model.score(requestOf(model, [row]))));
  for (const rows of [model.runRows, model.runRows + 1, 20_001]) {
    const found = await model.score(
      requestOf(
        model,
        Array.from({ length: rows }, (_, i) => cells[i % 100] ?? []),
      ),
    );
    expect(found.rows).toBe(rows);
    expect(rowsOf(found).filter((row, i) => JSON.stringify(row) !== JSON.stringify(alone[i % 100]))).toEqual([]);
  }
});

describe('a run', () => {
  it('has an even number of rows, or the batch size of the model', async () => {
    expect(await sizesOf(IRIS, [1, 2, 3, 63])).toEqual([2, 2, 4, 64]);
    expect(await sizesOf(`${FIXTURES}/fixed-eight`, [1, 8, 9])).toEqual([8, 8, 8, 8]);
    expect(await sizesOf(`${FIXTURES}/fixed-one`, [1, 2])).toEqual([1, 1, 1]);
  });

  it('has the memory of all others, up to the largest that was foreseen', async () => {
    const bundle = await loadBundle(IRIS);
    const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
    const buffers = new Set<unknown>();
    const watched = {
      ...session,
      runOutputs: (...[inputs, names]: Parameters<typeof session.runOutputs>) => {
        for (const { values } of inputs) buffers.add((values as Float32Array).buffer);
        return session.runOutputs(inputs, names);
      },
    };
    const model = createModelRun(watched, bundle.signature, { capacity: 1000 });
    for (const rows of [1, 65, 1000, 2]) await model.run([threes(model, rows)]);
    expect(buffers.size).toBe(1);
    await model.run([threes(model, 1001)]);
    expect(buffers.size).toBe(2);
    await session.close();
  });

  it('has the requests of one turn of the event loop, whole, and within its rows', async () => {
    const runs = await runsOf({ runRows: 10 }, [4, 4, 4, 30, 1, 9, 1, 1]);
    expect(runs).toEqual([[4, 4], [4], [30], [1, 9], [1, 1]]);
  });

  it('begins at once for a request that is alone', async () => {
    const { queue, runs, batch } = await recorded({ runRows: 10 });
    await queue.add({ batch: batch(1) });
    await queue.add({ batch: batch(1) });
    expect(runs).toEqual([[1], [1]]);
  });

  it('waits for others as long as it is told, and no longer once it is full or somebody cannot wait', async () => {
    const { queue, runs, batch } = await recorded({ runRows: 4, maxDelayMs: 300 });
    const start = performance.now();
    const first = queue.add({ batch: batch(1) });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = queue.add({ batch: batch(1) });
    await Promise.all([first, second]);
    expect(performance.now() - start).toBeGreaterThan(290);
    const full = performance.now();
    await Promise.all([1, 2, 1].map((rows) => queue.add({ batch: batch(rows) })));
    await queue.add({ batch: batch(1), deadline: performance.now() + 250 });
    expect(performance.now() - full).toBeLessThan(250);
    expect(runs).toEqual([[1, 1], [1, 2, 1], [1]]);
  });
});

/** Rows that the session gets for requests one after another. */
async function sizesOf(folder: string, requests: readonly number[]): Promise<number[]> {
  const model = await loaded(folder);
  const sizes: number[] = [];
  const session = await openSession(model.bundle, { providers: ['cpu'], requireGpu: false });
  const watched = {
    ...session,
    runOutputs: (...[inputs, names]: Parameters<typeof session.runOutputs>) => {
      sizes.push(inputs[0]?.shape[0] ?? 0);
      return session.runOutputs(inputs, names);
    },
  };
  const { run } = createModelRun(watched, model.bundle.signature);
  for (const rows of requests) {
    const predictions = await run([requestOf(model, randomCells(model, rows, rows)).batch]);
    expect([predictions.rows, predictions.values.length, predictions.rejected.length]).toEqual([
      rows,
      rows * predictions.width,
      rows,
    ]);
    expect(predictions.labels?.length ?? rows).toBe(rows);
  }
  await session.close();
  return sizes;
}

/** A queue before the real iris model, which notes the rows of each request of each run. */
async function recorded(options: { readonly runRows: number; readonly maxDelayMs?: number }) {
  const bundle = await loadBundle(IRIS);
  const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
  const model = createModelRun(session, bundle.signature);
  const runs: number[][] = [];
  const run: ModelRun['run'] = (batches) => {
    runs.push(batches.map(({ rows }) => rows));
    return model.run(batches);
  };
  const queue = createQueue({ run, queuedRows: 1000, maxDelayMs: 0, secondsPerRow: 1e-3, ...options });
  return { queue, runs, batch: (rows: number) => threes(model, rows) };
}

/** Rows of the number 3. */
function threes({ kinds }: ModelRun, rows: number) {
  const columns = kinds.map(() => ({ kind: 'float64' as const, values: new Float64Array(rows).fill(3), valid: undefined }));
  return { rows, columns };
}

async function runsOf(options: { readonly runRows: number }, requests: readonly number[]): Promise<number[][]> {
  const { queue, runs, batch } = await recorded(options);
  const answers = await Promise.all(requests.map((rows) => queue.add({ batch: batch(rows) })));
  expect(answers.map(({ rows }) => rows)).toEqual(requests);
  return runs;
}

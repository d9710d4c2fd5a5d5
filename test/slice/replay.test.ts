import { expect, it } from 'vitest';
import { replay } from '../../scripts/replay/run-replay.ts';
import { duckdbShop } from '../../scripts/replay/shop.ts';
import { temporaryFolder } from '../support/project.ts';

// `npm run replay` replays twelve weeks; this is one week end of it, with all that can happen to orders and slices.
it('keeps every row of the current table right through late, repeated, corrected and deleted orders, kills and a new model', async () => {
  const folder = await temporaryFolder();
  const figures = await replay({
    ...{ seed: 1, days: 8, every: 3, kills: 0.1, oracle: 0.06, variant: 'steady' },
    ...{ folder, shop: duckdbShop(folder), say: () => undefined },
  });
  // A violation is an error, so what is left is whether everything came up.
  expect(figures.batches.map(({ label }) => label)).toEqual(['1997-W01']);
  expect(figures.within).toBe(1);
  expect(figures.kills.killed).toBeGreaterThan(0);
  expect(figures.oracles).toBeGreaterThan(0);
  const slices = figures.calls.flatMap(({ published }) => published);
  expect(new Set(slices.map(({ slice }) => slice.kind))).toEqual(new Set(['snapshot', 'changes', 'full']));
  expect(new Set(slices.map(({ digest }) => digest)).size).toBe(2);
  const outcomes = slices.map(({ outcome }) => outcome);
  for (const name of ['unchanged', 'quarantined', 'deleted'] as const)
    expect(
      outcomes.some((outcome) => outcome[name] > 0),
      name,
    ).toBe(true);
}, 300_000);

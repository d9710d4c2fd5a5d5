import { describe, expect, it } from 'vitest';
import { type Defects, simulate } from './simulate.ts';

// `npm run simulate:stream -- --seeds 10000` runs more.
it.each([0, 1, 2, 3])(
  'scores every event exactly once, with the features of a run without faults: seeds from %d00',
  async (hundred) => {
    for (let seed = 100 * hundred + 1; seed <= 100 * hundred + 40; seed += 1) {
      const { problems } = await simulate(seed);
      expect({ seed, problems }).toEqual({ seed, problems: [] });
    }
  },
);

it('scores what is due before a partition changes hands or is paused: seeds that once left it until the next record', async () => {
  for (const seed of [716, 1356, 8782])
    expect({ seed, problems: (await simulate(seed)).problems }).toEqual({ seed, problems: [] });
});

describe('the simulation finds', () => {
  const DEFECTS: readonly (readonly [what: string, defects: Defects])[] = [
    ['a client that reads what is committed before the fence', { client: 'reads what is committed before the fence' }],
    ['a client that takes a lost answer for success', { client: 'takes a lost answer for success' }],
    ['offsets that are not in the transaction of the outputs', { client: 'commits offsets first' }],
    ['brokers that take what a zombie sends', { broker: { fences: false } }],
    [
      'a window that begins at the committed position',
      { checkpoint: (at) => ({ ...at, replay: { offset: at.position, maximum: at.maximum } }) },
    ],
    ['an idle flush that is forgotten', { checkpoint: (at) => ({ ...at, flushed: 0 }) }],
  ];

  it.each(DEFECTS)('%s', async (_what, defects) => {
    let seed = 1;
    while (seed <= 40 && (await simulate(seed, { defects })).problems.length === 0) seed += 1;
    expect(seed).toBeLessThanOrEqual(40);
  });
});

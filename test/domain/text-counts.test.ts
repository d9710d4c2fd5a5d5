import { expect, it } from 'vitest';
import { addTextCounts, neverSeen } from '../../src/domain/text-counts.ts';

it('adds the counts of several attempts, whatever the feature names', () => {
  const odd = JSON.parse('{"__proto__": [3, 2]}');
  const sum = addTextCounts([{ plan: [10, 1], constructor: [1, 0] }, {}, { plan: [5, 5] }, odd, odd]);
  expect(Object.entries(sum)).toEqual([
    ['plan', [15, 6]],
    ['constructor', [1, 0]],
    ['__proto__', [6, 4]],
  ]);
  expect(neverSeen(sum).map(({ feature }) => feature)).toEqual(['__proto__']);
});

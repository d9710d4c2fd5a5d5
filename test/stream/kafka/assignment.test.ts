import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assignPartitions } from '../../../src/stream/kafka/assignment.ts';

const COUNT = 24;

it('gives each partition to one member, as many to each as to others, and moves no more than it must', () => {
  const member = fc.array(fc.integer({ min: 0, max: COUNT + 3 }), { maxLength: COUNT });
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 7 }), fc.integer({ min: 0, max: COUNT }), (owned, partitions) => {
      const members = owned.map((had, i) => ({ id: `m${i}`, owned: had }));
      const assigned = assignPartitions(members, partitions);
      const all = [...assigned.values()].flat().sort((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: partitions }, (_, i) => i));
      const sizes = members.map(({ id }) => assigned.get(id)?.length ?? -1);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      // What it decided stays as it is.
      const again = members.map(({ id }) => ({ id, owned: assigned.get(id) ?? [] }));
      expect(assignPartitions([...again].reverse(), partitions)).toEqual(assigned);
    }),
  );
});

it('leaves partitions where they are when a member comes or goes', () => {
  const before = [
    { id: 'a', owned: [0, 1, 2] },
    { id: 'b', owned: [3, 4, 5] },
  ];
  expect(Object.fromEntries(assignPartitions([...before, { id: 'c', owned: [] }], 6))).toEqual({
    a: [0, 1],
    b: [3, 4],
    c: [2, 5],
  });
  expect(Object.fromEntries(assignPartitions([{ id: 'b', owned: [3, 4, 5] }], 6))).toEqual({ b: [0, 1, 2, 3, 4, 5] });
});

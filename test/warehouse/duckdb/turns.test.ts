import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { inTurn, takeTurn } from '../../../src/warehouse/duckdb/turns.ts';

it('runs work on a file in the order in which it asked, also after a failure, and work inside of it at once', async () => {
  const seen: string[] = [];
  const work = (name: string, ms: number) =>
    inTurn('a.duckdb', async () => {
      seen.push(`${name} begins`);
      await sleep(ms);
      await inTurn('a.duckdb', async () => void seen.push(`${name} inside`));
      seen.push(`${name} ends`);
      if (name === 'second') throw new Error('it failed');
    });
  const first = work('first', 20);
  const second = work('second', 5);
  const turn = takeTurn('a.duckdb');
  const third = work('third', 0);
  const other = inTurn('b.duckdb', async () => void seen.push('another file'));
  await other;
  expect(seen).toEqual(['first begins', 'another file']);
  await expect(second).rejects.toThrow('it failed');
  const held = await turn;
  await sleep(20);
  expect(seen).not.toContain('third begins');
  held[Symbol.dispose]();
  await Promise.all([first, third]);
  expect(seen.filter((one) => one !== 'another file')).toEqual(
    ['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} inside`, `${name} ends`]),
  );
});

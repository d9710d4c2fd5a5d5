import { describe, expect, it } from 'vitest';
import { EFFECTS } from './effects.ts';
import { run } from './kill.ts';
import { missing } from './project.ts';
import { ELSEWHERE } from './slice-effects.ts';
import { SLICE, SLICE_SCENARIOS } from './slice-scenarios.ts';

/** Holds the effects of a full pass and of the slice that follows it against their names; nothing is killed. */
export function sliceNames(route: keyof typeof ELSEWHERE): void {
  // Without an emulator; the last line of the output says why there is none.
  describe.skipIf(missing[route])(`a slice within ${route}`, () => {
    it('has a name for every durable effect, and no name without one', { timeout: 600_000 }, async () => {
      const project = await SLICE_SCENARIOS['full pass at a boundary'].prepare(route)();
      const { code, stderr, effects } = await run(project, undefined, SLICE);
      expect(code, stderr).toBe(0);
      const named = (list: (typeof EFFECTS)[typeof route], effect: string) =>
        list.filter(({ pattern }) => pattern.test(effect)).map(({ name }) => name);
      const own = effects.map((effect) => named(ELSEWHERE[route], effect));
      const unnamed = effects.filter((effect, i) => (own[i]?.length || named(EFFECTS[route], effect).length) !== 1);
      expect(unnamed.map((effect) => effect.slice(0, 200))).toEqual([]);
      expect([...new Set(own.flat())].sort()).toEqual(ELSEWHERE[route].map(({ name }) => name).sort());
    });
  });
}

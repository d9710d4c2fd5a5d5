import { describe, expect, it } from 'vitest';
import { once } from '../support/kept.ts';
import { sampled } from '../support/sample.ts';
import type { Effect, Phase } from './effects.ts';
import { run } from './kill.ts';
import { sliceEffects } from './slice-effects.ts';
import { SLICE, SLICE_SCENARIOS, type SliceScenario } from './slice-scenarios.ts';
import { expectSound, leftBySlices, sliceState } from './slice-state.ts';

// Kills the command of a slice at each of its durable effects, starts it again, and holds what is there then against what
// commands leave that nothing disturbed.

/** Some runs, one after the other. */
const TIMEOUT_MS = 300_000;

interface Kill extends Effect {
  readonly scenario: SliceScenario;
  readonly phase: Phase;
  readonly occurrence: number;
}

const NAMES = Object.keys(SLICE_SCENARIOS) as SliceScenario[];

const KILLS: readonly Kill[] = NAMES.flatMap((scenario) =>
  sliceEffects(scenario).flatMap((effect) =>
    effect.occurrences.flatMap((occurrence) => effect.phases.map((phase) => ({ ...effect, scenario, phase, occurrence }))),
  ),
);

// One sample of all of them: each kill is several runs.
const CHOSEN = sampled(KILLS, (kill) => `slice ${kill.scenario} ${titleOf(kill)}`);

function titleOf({ name, phase, occurrence }: Kill): string {
  return `${phase} ${name} ${occurrence}`;
}

describe.each(NAMES)('a slice within DuckDB: %s', (scenario) => {
  const { prepare, kinds } = SLICE_SCENARIOS[scenario];
  const effects = sliceEffects(scenario);
  const prepared = prepare('duckdb');
  /** After the command; and after it has come once more, with nothing new: that is one slice more, of what is read again. */
  const undisturbed = once(async () => {
    const project = await prepared();
    const before = await sliceState(project).catch(() => undefined);
    const first = await run(project, undefined, SLICE);
    expect(first.code, first.stderr).toBe(0);
    const after = await sliceState(project);
    expect(after.slices.slice(before?.slices.length ?? 0).map(({ kind }) => kind)).toEqual(kinds);
    expect(await leftBySlices(project)).toEqual([]);
    const second = await run(project, undefined, SLICE);
    expect(second.code, second.stderr).toBe(0);
    const again = await sliceState(project);
    expect(again.slices).toHaveLength(after.slices.length + 1);
    return { effects: first.effects, states: [after, again] };
  });

  it('has a name for every durable effect, and no name without one', { timeout: TIMEOUT_MS }, async () => {
    const { effects: happened } = await undisturbed();
    const named = happened.map((effect) => effects.filter(({ pattern }) => pattern.test(effect)).map(({ name }) => name));
    const unnamed = happened.filter((_, i) => named[i]?.length !== 1);
    expect(unnamed.map((effect) => effect.slice(0, 200))).toEqual([]);
    const tooFew = effects.filter(
      ({ name, occurrences }) => named.filter(([only]) => only === name).length < Math.max(1, ...occurrences),
    );
    expect(tooFew.map(({ name }) => name)).toEqual([]);
  });

  it.for(CHOSEN.filter((kill) => kill.scenario === scenario).map((kill) => [titleOf(kill), kill] as const))(
    'killed %s: the same command leaves what undisturbed ones leave',
    { timeout: TIMEOUT_MS },
    async ([, point]) => {
      const project = await prepared();
      const { signal, stderr } = await run(project, point, SLICE);
      expect(signal, stderr).toBe('SIGKILL');
      const again = await run(project, undefined, SLICE);
      expect(again.code, again.stderr).toBe(0);
      const state = await sliceState(project);
      await expectSound(project, state, again.stderr);
      // A command that finds a slice published, or resumes one, goes on with what follows it.
      const { states } = await undisturbed();
      const expected = states.find(({ slices }) => slices.length === state.slices.length);
      expect(state, again.stderr).toEqual(expected);
      expect(await leftBySlices(project), again.stderr).toEqual([]);
    },
  );
});

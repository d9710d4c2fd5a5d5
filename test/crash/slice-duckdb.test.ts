import { describe, expect, it } from 'vitest';
import { once } from '../support/kept.ts';
import { sampled } from '../support/sample.ts';
import type { Effect, Phase } from './effects.ts';
import { run, start } from './kill.ts';
import type { CrashProject } from './project.ts';
import { sliceEffects } from './slice-effects.ts';
import { SLICE, SLICE_SCENARIOS, type SliceScenario } from './slice-scenarios.ts';
import { expectSound, knownUsers, leftBySlices, sliceState } from './slice-state.ts';

// Kills the command of a slice at each of its durable effects, starts it again, and holds what is there then against what
// commands leave that nothing disturbed.

const STARTED = /^duckdb INSERT INTO \S+"score_batch_ledger" .*'started'/;

/** How often two processes are started at once. */
const RACES: Readonly<Record<SliceScenario, number>> = {
  ...{ snapshot: 1, changes: 2, 'full pass at a boundary': 2, 'comparison with the batch': 0 },
};

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
  const { prepare, kinds, meanwhile } = SLICE_SCENARIOS[scenario];
  const effects = sliceEffects(scenario);
  const prepared = prepare('duckdb');
  /** The command, what happens meanwhile, and the command once more. */
  const twice = once(async () => {
    const project = await prepared();
    const before = await sliceState(project).catch(() => undefined);
    const { effects: happened } = await well(project);
    const after = await sliceState(project);
    expect(after.slices.slice(before?.slices.length ?? 0).map(({ kind }) => kind)).toEqual(kinds);
    expect(await leftBySlices(project)).toEqual([]);
    await meanwhile(project);
    await well(project);
    const state = await sliceState(project);
    expect(state.slices).toHaveLength(after.slices.length + 1);
    return { happened, state };
  });
  /** What happens meanwhile, before the command. */
  const late = once(async () => {
    const project = await prepared();
    await meanwhile(project);
    await well(project);
    return { state: await sliceState(project), users: await knownUsers(project) };
  });

  it('has a name for every durable effect, and no name without one', { timeout: TIMEOUT_MS }, async () => {
    const { happened } = await twice();
    const named = happened.map((effect) => effects.filter(({ pattern }) => pattern.test(effect)).map(({ name }) => name));
    const unnamed = happened.filter((_, i) => named[i]?.length !== 1);
    expect(unnamed.map((effect) => effect.slice(0, 200))).toEqual([]);
    const tooFew = effects.filter(
      ({ name, occurrences }) => named.filter(([only]) => only === name).length < Math.max(1, ...occurrences),
    );
    expect(tooFew.map(({ name }) => name)).toEqual([]);
  });

  it.for(CHOSEN.filter((kill) => kill.scenario === scenario).map((kill) => [titleOf(kill), kill] as const))(
    'killed %s: the same command leaves what uninterrupted ones leave',
    { timeout: TIMEOUT_MS },
    async ([, point]) => {
      const project = await prepared();
      const { signal, stderr, effects: happened } = await run(project, point, SLICE);
      expect(signal, stderr).toBe('SIGKILL');
      await meanwhile(project);
      const again = await well(project);
      const state = await sliceState(project);
      await expectSound(project, state, again.stderr);
      // A slice that has recorded what it reads reads just that, and what is new comes in the next one.
      const started = happened.filter((effect) => STARTED.test(effect)).length >= kinds.length;
      const isUnknown = point.phase === 'during' && STARTED.test(happened.at(-1) ?? '');
      const { state: whole } = await late();
      const expected = !started || (isUnknown && state.slices.length === whole.slices.length) ? whole : (await twice()).state;
      expect(state, again.stderr).toEqual(expected);
      expect(await leftBySlices(project), again.stderr).toEqual([]);
    },
  );

  it.for(Array.from({ length: RACES[scenario] }, (_, i) => i + 1))(
    'started twice at once, time %i: each position is published once, and the users are as after one',
    { timeout: TIMEOUT_MS },
    async () => {
      const project = await prepared();
      await meanwhile(project);
      const both = await Promise.all([1, 2].map(() => start(project, undefined, SLICE).ended));
      const how = both.map(({ stderr }) => stderr).join('\n');
      expect(
        both.map(({ code }) => code).filter((code) => code !== 0 && code !== 75),
        how,
      ).toEqual([]);
      expect(
        both.some(({ code }) => code === 0),
        how,
      ).toBe(true);
      const { state, users } = await late();
      const raced = await sliceState(project);
      await expectSound(project, raced, how);
      expect(
        raced.slices.slice(0, state.slices.length).map(({ kind, spans, as_of, boundary }) => [kind, spans, as_of, boundary]),
        how,
      ).toEqual(state.slices.map(({ kind, spans, as_of, boundary }) => [kind, spans, as_of, boundary]));
      expect(raced.tables.current_boundary, how).toEqual(state.tables.current_boundary);
      expect(await knownUsers(project), how).toEqual(users);
      await well(project);
      expect(await leftBySlices(project), how).toEqual([]);
    },
  );
});

/** Runs the command to its end. */
async function well(project: CrashProject): ReturnType<typeof run> {
  const outcome = await run(project, undefined, SLICE);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}

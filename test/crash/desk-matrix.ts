import { describe, expect, it } from 'vitest';
import { once } from '../support/kept.ts';
import { sampled } from '../support/sample.ts';
import { DESK_EFFECTS, type DeskRoute } from './desk-effects.ts';
import { SCENARIOS, type ScenarioName } from './desk-scenarios.ts';
import { stateOf } from './desk-state.ts';
import { EFFECTS, type Effect, type Phase } from './effects.ts';
import { run } from './kill.ts';
import { missing } from './project.ts';

/** Some runs, one after the other. */
const TIMEOUT_MS = 900_000;

/**
 * Kills each command after a first run at every durable effect that it has beside those of a run, starts it again, and holds
 * what is there then against what an uninterrupted one leaves.
 */
export function deskMatrix(route: DeskRoute): void {
  const names = Object.keys(SCENARIOS) as ScenarioName[];
  // One sample of all of them: each kill is several runs.
  const chosen = sampled(
    names.flatMap((name) => killsOf(name, route)),
    (kill) => `${kill.command} ${route} ${titleOf(kill)}`,
  );
  for (const name of names) {
    const kills = chosen.filter(({ command }) => command === name);
    // Without an emulator; the last line of the output says why there is none.
    describe.skipIf(missing[route])(`${name} within ${route}`, () => killed(name, route, kills));
  }
}

interface Kill extends Effect {
  readonly command: ScenarioName;
  readonly phase: Phase;
  readonly occurrence: number;
}

function killsOf(command: ScenarioName, route: DeskRoute): Kill[] {
  return DESK_EFFECTS[command][route].flatMap((effect) =>
    effect.phases.flatMap((phase) => effect.occurrences.map((occurrence) => ({ ...effect, command, phase, occurrence }))),
  );
}

function killed(name: ScenarioName, route: DeskRoute, kills: readonly Kill[]): void {
  const effects = DESK_EFFECTS[name][route];
  const { prepare, command, over, isDone } = SCENARIOS[name];
  const prepared = prepare(route);
  const uninterrupted = once(async () => {
    const project = await prepared();
    const { code, stderr, effects: happened } = await run(project, undefined, command);
    expect(code, stderr).toBe(0);
    return { happened, state: await stateOf(project) };
  });

  it('has a name for every durable effect, and no name without one', { timeout: TIMEOUT_MS }, async () => {
    const { happened, state } = await uninterrupted();
    expect(isDone(state), JSON.stringify(state)).toBe(true);
    const names = happened.map((effect) => effects.filter(({ pattern }) => pattern.test(effect)).map((one) => one.name));
    const ofRun = (effect: string) => EFFECTS[route].some(({ pattern }) => pattern.test(effect));
    const unnamed = happened.filter((effect, i) => (names[i]?.length === 0 ? !ofRun(effect) : names[i]?.length !== 1));
    expect(unnamed.map((effect) => effect.slice(0, 200))).toEqual([]);
    const counted = effects.map(({ name: own, times }) => {
      const found = names.filter(([only]) => only === own).length;
      return [own, times === 'any' && found > 0 ? 'any' : found];
    });
    expect(counted).toEqual(effects.map(({ name: own, times }) => [own, times]));
  });

  it.for(kills.map((kill) => [titleOf(kill), kill] as const))(
    'killed %s: the same command leaves what an uninterrupted one leaves',
    { timeout: TIMEOUT_MS },
    async ([, point]) => {
      const project = await prepared();
      const { signal, stderr } = await run(project, point, command);
      expect(signal, stderr).toBe('SIGKILL');
      const again = await run(project, undefined, command);
      // Of the last effect nobody knows whether it happened.
      expect(point.name === effects.at(-1)?.name && again.code === over ? 0 : again.code, again.stderr).toBe(0);
      expect(await stateOf(project), again.stderr).toEqual((await uninterrupted()).state);
    },
  );
}

function titleOf({ name, phase, occurrence, times }: Kill): string {
  return `${phase} ${name}${times === 1 ? '' : ` ${occurrence}`}`;
}

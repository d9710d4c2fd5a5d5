import { describe, expect, it } from 'vitest';
import { sampled } from '../support/sample.ts';
import { expectAftermath, runUninterrupted, type Uninterrupted } from './aftermath.ts';
import { EFFECTS, type Effect, MILESTONES, type Phase, type Route, STAGED } from './effects.ts';
import { run } from './kill.ts';
import { crashProject, missing } from './project.ts';

interface Kill {
  readonly effect: Effect;
  readonly occurrence: number;
  readonly phase: Phase;
}

/**
 * Kills the process at every durable effect of a run, starts the same command again, and holds what is there then against
 * what an uninterrupted run leaves.
 *
 * @param chains kills of one process after the other, of which the last are in what is done about an earlier one
 */
export function crashMatrix(route: Route, chains: readonly (readonly Kill[])[]): void {
  // Without an emulator; the last line of the output says why there is none.
  describe.skipIf(missing[route])(`a run within ${route}`, () => {
    let running: Promise<Uninterrupted> | undefined;
    const uninterruptedRun = (): Promise<Uninterrupted> => {
      running ??= runUninterrupted(route);
      return running;
    };

    it('has a name for every durable effect, and no name without one', async () => {
      const uninterrupted = await uninterruptedRun();
      const names = uninterrupted.effects.map((effect) =>
        EFFECTS[route].filter(({ pattern }) => pattern.test(effect)).map(({ name }) => name),
      );
      const unnamed = uninterrupted.effects.filter((_, i) => names[i]?.length !== 1);
      expect(unnamed.map((effect) => effect.slice(0, 200))).toEqual([]);
      const counted = EFFECTS[route].map(({ name, times }) => {
        const found = names.filter(([only]) => only === name).length;
        return [name, times === 'any' && found > 0 ? 'any' : found];
      });
      expect(counted).toEqual(EFFECTS[route].map(({ name, times }) => [name, times]));
    });

    const cases = [...points(route).map((only) => [only]), ...chains].map((kills) => [titleOf(kills), kills] as const);
    it.for(sampled(cases, ([title]) => `${route} ${title}`))(
      'killed %s: the same command leaves what an uninterrupted run leaves',
      async ([, kills]) => {
        const project = await crashProject(route);
        const done: Done[] = [];
        for (const point of kills) {
          const { signal, stderr, effects } = await run(project, { ...point, pattern: point.effect.pattern });
          expect(signal, stderr).toBe('SIGKILL');
          done.push(doneBy(route, effects, point));
        }
        const { code, stdout, stderr } = await run(project);
        expect(code, stderr).toBe(0);

        const runs = await expectAftermath(project, await uninterruptedRun(), stderr);
        const [only] = done;
        if (only === undefined || done.length > 1) return;
        expect(only.completed).toContain(runs.length === 2);
        if (!only.published.includes(true)) expect(only.staged).toContain(JSON.parse(stdout).chunks_resumed);
      },
    );
  });
}

/** What had happened when a process was killed, all that is possible: nobody knows of what had no answer. */
interface Done {
  readonly staged: readonly number[];
  readonly published: readonly boolean[];
  readonly completed: readonly boolean[];
}

function doneBy(route: Route, effects: readonly string[], { effect, occurrence, phase }: Kill): Done {
  const last = effects.map((text, i) => (effect.pattern.test(text) ? i : -1)).filter((i) => i >= 0)[occurrence - 1] ?? -1;
  const possible = {
    before: [effects.slice(0, last)],
    during: [effects.slice(0, last), effects.slice(0, last + 1)],
    after: [effects.slice(0, last + 1)],
  }[phase];
  const count = (happened: readonly string[], name: string) =>
    happened.filter((text) => named(route, name).pattern.test(text)).length;
  const reached = ([name, times]: readonly [string, number]) => possible.map((happened) => count(happened, name) >= times);
  const { published, completed } = MILESTONES[route];
  return {
    staged: possible.map((happened) => count(happened, STAGED)),
    published: reached(published),
    completed: reached(completed),
  };
}

/** Every point at which a process is killed once. */
function points(route: Route): Kill[] {
  const [first] = EFFECTS[route].filter(({ times }) => times !== 'any');
  const killed = EFFECTS[route].flatMap((effect) =>
    effect.phases.flatMap((phase) => effect.occurrences.map((occurrence) => ({ effect, phase, occurrence }))),
  );
  return [...(first ? [{ effect: first, phase: 'before' as const, occurrence: 1 }] : []), ...killed];
}

function titleOf(kills: readonly Kill[]): string {
  return kills.map(shown).join(', then ');
}

function shown({ effect: { name, times }, phase, occurrence }: Kill): string {
  return `${phase} ${name}${times === 1 ? '' : ` ${occurrence}`}`;
}

/** A point by the name of its effect. */
export function kill(route: Route, name: string, phase: Phase, occurrence = 1): Kill {
  return { effect: named(route, name), phase, occurrence };
}

function named(route: Route, name: string): Effect {
  const effect = EFFECTS[route].find((other) => other.name === name);
  if (effect === undefined) throw new Error(`there is no effect ${name} of ${route}`);
  return effect;
}

import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { expectAftermath, runUninterrupted, type Uninterrupted } from './aftermath.ts';
import type { Phase, Route } from './effects.ts';
import { type CrashPoint, run, start } from './kill.ts';
import { crashProject, missing } from './project.ts';

// Started by scripts/chaos.ts, which says what it is.

interface Wanted {
  readonly kills: number;
  readonly seed: number;
  readonly kinds: readonly Route[];
}

const wanted = JSON.parse(process.env.CHAOS ?? '{"kills":0,"seed":0,"kinds":[]}') as Wanted;

/** Emulators are slow, and everything but the warehouse is the same. */
const SHARES: Readonly<Record<Route, number>> = { duckdb: 35, tapped: 35, bigquery: 15, snowflake: 15 };
const MAX_CHAIN = 4;
const PHASES: readonly Phase[] = ['before', 'during', 'after'];
/** What is killed: a run as often as its steps, which resume what the others left. */
const COMMANDS = ['run --workers 1', 'run --workers 2', 'run --workers 2', 'freeze', 'score --workers 1', 'publish'];
/** How a command ends that is not killed. A step has nothing to do where the one before it was not done. */
const CODES: Readonly<Record<string, readonly number[]>> = { run: [0], freeze: [0], score: [0, 75], publish: [0, 75] };

describe.each(wanted.kinds)('%s', (kind) => {
  const all = wanted.kinds.reduce((sum, other) => sum + SHARES[other], 0);
  const told = { kind, seed: wanted.seed, kills: 0, 'runs compared': 0, differences: 0 };
  let reference: Promise<Uninterrupted> | undefined;

  afterAll(() => {
    const parts = Object.entries(told).map(([name, value]) => `${name} ${value}`);
    process.stdout.write(`${parts.join(' · ')}\n`);
  });

  it.for(chains(Math.ceil((wanted.kills * SHARES[kind]) / all)))(
    'chain $number of $length',
    { timeout: 600_000 },
    async (chain, { skip }) => {
      skip(missing[kind], 'the emulator is not there');
      reference ??= runUninterrupted(kind);
      const uninterrupted = await reference;
      const random = randomOf(`${wanted.seed} ${kind} ${chain.number}`);
      const project = await crashProject(kind);
      const kills: string[] = [];
      while (kills.length < chain.length) {
        const point = random() < 0.5 ? anyPoint(uninterrupted, random) : undefined;
        // The first third is the start of the process, which has no effects.
        const seconds = (0.3 + 0.7 * random()) * uninterrupted.seconds;
        const [name = '', ...flags] = oneOf(COMMANDS, random).split(' ');
        const running = start(project, point, [name, '--week', '--json', ...flags]);
        const timer = point ? undefined : setTimeout(() => running.process.kill('SIGKILL'), seconds * 1000);
        const { signal, code, stderr } = await running.ended;
        clearTimeout(timer);
        const when = point ? `${point.phase} effect ${point.occurrence}` : `after ${seconds.toFixed(2)} s`;
        if (signal === 'SIGKILL') kills.push(`${name} ${when}`);
        else expect(CODES[name], `killed ${kills.join(', then ')}\n${stderr}`).toContain(code);
      }
      told.kills += kills.length;
      told['runs compared'] += 1;
      told.differences += 1;
      const { code, stderr } = await run(project);
      const how = `killed ${kills.join(', then ')}\n${stderr}`;
      expect(code, how).toBe(0);
      await expectAftermath(project, uninterrupted, how);
      told.differences -= 1;
    },
  );
});

/** Any effect of a run, whatever it is. */
function anyPoint({ effects }: Uninterrupted, random: () => number): CrashPoint {
  return {
    pattern: /^/,
    occurrence: 1 + Math.floor(random() * effects.length),
    phase: oneOf(PHASES, random),
  };
}

function oneOf<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}

interface Chain {
  readonly number: number;
  /** Kills before a run is left alone. */
  readonly length: number;
}

function chains(kills: number): Chain[] {
  const random = randomOf(`${wanted.seed} chains`);
  const found: Chain[] = [];
  for (let left = kills; left > 0; left -= found.at(-1)?.length ?? 0) {
    found.push({ number: found.length + 1, length: Math.min(left, 1 + Math.floor(random() * MAX_CHAIN)) });
  }
  return found;
}

/** Numbers from 0 to 1 that are the same for the same seed. */
function randomOf(seed: string): () => number {
  let n = 0;
  return () => {
    n += 1;
    return createHash('sha256').update(`${seed} ${n}`).digest().readUInt32BE() / 2 ** 32;
  };
}

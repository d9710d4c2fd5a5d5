import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { Context } from '../../src/context.ts';
import { currentPublication, type LedgerEntry } from '../../src/domain/ledger.ts';
import { ScoreBatchError } from '../../src/errors.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { seededRandom } from '../../src/random.ts';
import { freezePhase, publishPhase, scorePhase } from '../../src/run/phases.ts';
import { run } from '../../src/run/run.ts';
import { memoryPlan, REPORT } from './memory-plan.ts';
import { FAULTS, type Fault, startProcess } from './memory-process.ts';
import { linesOf } from './memory-sink.ts';
import { at } from './place.ts';
import { expectPublished, expectScored, watch } from './rules.ts';
import { virtualClock } from './virtual-clock.ts';
import { type Gating, newWorld, runsInScratch, type SourceRow, type World } from './world.ts';

// The flow of src/run over a warehouse in memory, with several processes side by side whose every statement may be the last.
vi.mock('../../src/score/pool.ts', async () => ({ scoreChunks: (await import('./place.ts')).scoreInMemory }));
vi.mock('../../src/run/share.ts', async (real) => ({
  shareChunks: (await import('./place.ts')).shareInMemory((await real<typeof import('../../src/run/share.ts')>()).shareChunks),
}));
vi.mock('../../src/report/file.ts', async () => ({ createPending: (await import('./place.ts')).pendingInMemory }));

const DAY = 86_400_000;
const GOOD: readonly SourceRow[] = Array.from({ length: 9 }, (_, i) => ({ key: `user ${i}`, value: i }));

/** One start of a window by somebody. */
interface Start {
  /** Virtual milliseconds after the beginning of its round. */
  readonly after: number;
  readonly model: string;
  readonly fresh: boolean;
  readonly skipPublished: boolean;
  readonly workers: number;
  /** 0: `run`, which is one process. Else `freeze`, so many `score` side by side, and `publish`, as a scheduler starts them. */
  readonly shards: number;
  /** Whether `publish` is started without waiting for the shards. */
  readonly impatient: boolean;
  readonly faults: readonly Fault[];
}

interface Round {
  readonly starts: readonly Start[];
  /** What the source holds, from when. */
  readonly changes: readonly { readonly after: number; readonly rows: readonly SourceRow[] }[];
  /** What is dropped at the end, when no process lives: a table of BigQuery expires by itself, each at its own time. */
  readonly expires: 'nothing' | 'frozen' | 'staged';
}

interface Scenario {
  readonly gating: Gating;
  /** Of the delays. */
  readonly seed: number;
  readonly rounds: readonly Round[];
}

type Outcome = 'published' | 'already published' | 'frozen' | 'scored' | 'killed' | 'refused' | 'conflict' | 'unavailable';

const context: Context = {
  folder: '/memory',
  environment: {},
  maxMemory: undefined,
  now: 0,
  console: {
    info() {},
    error() {},
    warn() {},
    debug() {},
    progress: () => ({ advance() {}, stop() {} }),
  },
  signal: new AbortController().signal,
  began: 0,
  subject: {},
  atEnd: () => undefined,
};

type Flags = Pick<Start, 'model' | 'fresh' | 'workers' | 'faults'>;

/** One process from its start to its end. */
async function perform(
  world: World,
  name: string,
  { model, fresh, workers, faults }: Flags,
  random: () => number,
  command: (plan: Plan) => Promise<{ readonly run_id: string; readonly state: Outcome }>,
): Promise<Outcome> {
  const process = startProcess(world, { name, faults, random });
  const work = at({ world, process, fresh }, async (): Promise<Outcome> => {
    try {
      const { run_id, state } = await command(memoryPlan(world, process, model, workers));
      if (state === 'scored') expectScored(world, run_id);
      return state;
    } catch (error) {
      const kind = error instanceof ScoreBatchError ? error.kind : undefined;
      if (kind === 'unavailable') expect(faults.some((fault) => fault.kind.endsWith('lost'))).toBe(true);
      if (kind === 'refused' || kind === 'conflict' || kind === 'unavailable') return kind;
      throw error;
    }
  });
  return await Promise.race([work, process.killed]);
}

const OPTIONS = { allowEmpty: false, skipEmpty: false };

function performRun(world: World, name: string, start: Omit<Start, 'after'>, random: () => number): Promise<Outcome> {
  const options = { ...OPTIONS, skipPublished: start.skipPublished, fresh: start.fresh };
  return perform(world, name, start, random, (plan) => run(plan, options, context));
}

/** What a scheduler does: step after step, and each that fails once more, alone. */
async function performPhases(world: World, name: string, start: Start, random: () => number): Promise<void> {
  const { shards, faults } = start;
  const twice = async (step: number, command: Parameters<typeof perform>[4]): Promise<boolean> => {
    // Faults go to the steps in turn, from one that differs.
    const own = faults.filter((_, i) => (i + start.after) % (shards + 2) === step);
    const first = await perform(world, `${name}, step ${step}`, { ...start, faults: own }, random, command);
    if (!isFailure(first)) return true;
    return !isFailure(await perform(world, `${name}, step ${step} again`, { ...start, faults: [] }, random, command));
  };
  const freeze = (plan: Plan) => freezePhase(plan, { fresh: start.fresh, skipEmpty: false, skipPublished: false }, context);
  if (!(await twice(shards, freeze))) return;
  const publish = () => twice(shards + 1, (plan) => publishPhase(plan, { ...OPTIONS, skipPublished: false }, context));
  const score = (index: number) =>
    twice(index, (plan) => scorePhase(plan, { shard: { index, count: shards }, skipPublished: false }, context));
  const all = Promise.all(Array.from({ length: shards }, (_, index) => score(index)));
  if (start.impatient) await Promise.all([all, publish()]);
  else if ((await all).every((success) => success)) await publish();
}

function isFailure(outcome: Outcome): boolean {
  return outcome === 'killed' || outcome === 'refused' || outcome === 'conflict' || outcome === 'unavailable';
}

async function play({ gating, seed, rounds }: Scenario): Promise<void> {
  const world = newWorld(virtualClock(), gating, GOOD);
  const wrong = watch(world);
  const random = seededRandom(seed);
  for (const [i, round] of rounds.entries()) {
    await playRound(world, `round ${i}`, round, random);
    if (round.expires !== 'nothing') world.scratch[round.expires].clear();
  }
  await settleDown(world, random);
  expect(wrong).toEqual([]);
}

async function playRound(world: World, name: string, { starts, changes }: Round, random: () => number): Promise<void> {
  const { clock } = world;
  const playStart = async (start: Start, i: number): Promise<void> => {
    await clock.sleep(start.after);
    if (start.shards > 0) await performPhases(world, `${name}, start ${i}`, start, random);
    else await performRun(world, `${name}, start ${i}`, start, random);
  };
  const ends = Promise.all(starts.map(playStart));
  // Looked at only after the clock has run.
  ends.catch(() => undefined);
  for (const { after, rows } of changes) {
    void clock.sleep(after).then(() => {
      world.source = rows;
    });
  }
  await clock.run();
  await ends;
}

/** Undisturbed starts, one after the other, until nothing is left of what came before. */
async function settleDown(world: World, random: () => number): Promise<void> {
  let count = 0;
  const start = async (): Promise<Outcome> => {
    count += 1;
    const clean = { model: 'first', fresh: false, skipPublished: false, workers: 1, shards: 0, impatient: false, faults: [] };
    const outcome = performRun(world, `clean ${count}`, clean, random);
    await world.clock.run();
    return await outcome;
  };
  world.source = GOOD;
  const before = currentPublication(world.ledger)?.number ?? 0;
  // A run that an earlier process left may have frozen rows that are refused; it is over then.
  let outcome = await start();
  while (outcome === 'refused' && count < 20) outcome = await start();
  expect(outcome).toBe('published');
  // That one may have gone on with rows of another time, or only have finished a report. This one cannot.
  expect(await start()).toBe('published');
  expect(currentPublication(world.ledger)?.number).toBeGreaterThan(before);
  expectPublished(world, world.ledger.findLast(({ state }) => state === 'published') as LedgerEntry, GOOD);
  expect(world.files.get(REPORT)?.split('\n').slice(1).join('\n')).toBe(linesOf(world.scores));
  const completed = new Set(world.ledger.filter(({ state }) => state === 'completed').map(({ runId }) => runId));
  expect(runsInScratch(world).filter((runId) => completed.has(runId))).toEqual([]);
  // What unfinished and refused runs left goes after their deadline.
  world.later = 8 * DAY;
  expect(await start()).toBe('published');
  expect(runsInScratch(world)).toEqual([]);
}

const row = fc.record({ key: fc.nat(9).map((i) => `user ${i}`), value: fc.integer({ min: -2, max: 9 }) });
const rows = fc.uniqueArray(row, { selector: ({ key }) => key, maxLength: 10 });
// A run takes some 40 statements of 11 ms.
const after = fc.nat(1500);
const fault = fc.record({
  statement: fc.nat(45),
  kind: fc.constantFrom(...FAULTS, 'killed before' as const, 'killed after' as const),
});
const start: fc.Arbitrary<Start> = fc.record({
  after,
  model: fc.constantFrom('first', 'first', 'first', 'second'),
  fresh: fc.constantFrom(false, false, false, true),
  skipPublished: fc.constantFrom(false, false, true),
  workers: fc.integer({ min: 1, max: 2 }),
  shards: fc.constantFrom(0, 0, 1, 2, 3),
  impatient: fc.boolean(),
  faults: fc.array(fault, { maxLength: 2 }),
});
const round: fc.Arbitrary<Round> = fc.record({
  starts: fc.array(start, { minLength: 1, maxLength: 4 }),
  changes: fc.array(fc.record({ after, rows }), { maxLength: 2 }),
  expires: fc.constantFrom('nothing', 'nothing', 'frozen', 'staged'),
});
const scenario: fc.Arbitrary<Scenario> = fc.record({
  gating: fc.constantFrom('optimistic', 'locked'),
  seed: fc.integer(),
  rounds: fc.array(round, { minLength: 1, maxLength: 3 }),
});

/** Scenarios to play; more of them by hand. */
const RUNS = Number(process.env.SCORE_BATCH_TEST_SCENARIOS ?? 150);

it('any sequence of starts, kills, lost answers, pauses and new data ends with one publication, whole', async () => {
  await fc.assert(fc.asyncProperty(scenario, play), { numRuns: RUNS });
});

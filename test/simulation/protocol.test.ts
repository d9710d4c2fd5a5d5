import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { Context } from '../../src/context.ts';
import { currentPublication, type LedgerEntry } from '../../src/domain/ledger.ts';
import { ScoreBatchError } from '../../src/errors.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { seededRandom } from '../../src/random.ts';
import { freezePhase, publishPhase, scorePhase } from '../../src/run/phases.ts';
import { run } from '../../src/run/run.ts';
import { NO_LIVE } from '../../src/terminal/live.ts';
import { memoryPlan, REPORT } from './memory-plan.ts';
import { FAULTS, type Fault, startProcess } from './memory-process.ts';
import { linesOf } from './memory-sink.ts';
import { at } from './place.ts';
import { expectPublished, expectScored, watch } from './rules.ts';
import { virtualClock } from './virtual-clock.ts';
import { type Locking, newWorld, runsInScratch, type SourceRow, type World } from './world.ts';

// The flow of src/run over a warehouse in memory, with concurrent processes that can be killed at any statement.
vi.mock('../../src/score/pool.ts', async () => ({ scoreChunks: (await import('./place.ts')).scoreInMemory }));
vi.mock('../../src/run/share.ts', async (real) => ({
  shareChunks: (await import('./place.ts')).shareInMemory((await real<typeof import('../../src/run/share.ts')>()).shareChunks),
}));
vi.mock('../../src/report/file.ts', async () => ({ createPending: (await import('./place.ts')).pendingInMemory }));

const DAY = 86_400_000;
const GOOD: readonly SourceRow[] = Array.from({ length: 9 }, (_, i) => ({ key: `user ${i}`, value: i }));

/** One start of a window. */
interface Start {
  /** Virtual milliseconds after the start of its round. */
  readonly after: number;
  readonly model: string;
  readonly fresh: boolean;
  readonly skipPublished: boolean;
  readonly workers: number;
  /**
   * 0: one process with `run`. Otherwise `freeze`, this many concurrent `score`, and `publish`, as a scheduler starts them.
   */
  readonly shards: number;
  /** Whether `publish` is started without waiting for the shards. */
  readonly impatient: boolean;
  readonly faults: readonly Fault[];
}

interface Round {
  readonly starts: readonly Start[];
  /** New rows of the source, with the time of the change. */
  readonly changes: readonly { readonly after: number; readonly rows: readonly SourceRow[] }[];
  /** The tables to drop after the round, as BigQuery's tables expire at their own times. */
  readonly expires: 'nothing' | 'frozen' | 'staged';
}

interface Scenario {
  readonly locking: Locking;
  /** Seed of the delays. */
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
    live: NO_LIVE,
  },
  signal: new AbortController().signal,
  began: 0,
  subject: {},
  serving: () => undefined,
  atEnd: () => undefined,
};

type Flags = Pick<Start, 'model' | 'fresh' | 'workers' | 'faults'>;

interface Actor {
  readonly world: World;
  readonly name: string;
  readonly random: () => number;
}

type Command = (plan: Plan) => Promise<{ readonly run_id: string; readonly state: Outcome }>;

/** Runs one process to its end. */
async function perform(
  { world, name, random }: Actor,
  { model, fresh, workers, faults }: Flags,
  command: Command,
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

function performRun(actor: Actor, start: Omit<Start, 'after'>): Promise<Outcome> {
  const options = { ...OPTIONS, skipPublished: start.skipPublished, fresh: start.fresh };
  return perform(actor, start, (plan) => run(plan, options, context));
}

/** Acts like a scheduler: runs step after step, and retries each failed step once. */
async function performPhases(actor: Actor, start: Start): Promise<void> {
  const { shards, faults } = start;
  const twice = async (step: number, command: Command): Promise<boolean> => {
    // Deals faults to the steps in turn, starting at a different step each time.
    const own = faults.filter((_, i) => (i + start.after) % (shards + 2) === step);
    const first = await perform({ ...actor, name: `${actor.name}, step ${step}` }, { ...start, faults: own }, command);
    if (!isFailure(first)) return true;
    const again = { ...actor, name: `${actor.name}, step ${step} again` };
    return !isFailure(await perform(again, { ...start, faults: [] }, command));
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

async function play({ locking, seed, rounds }: Scenario): Promise<void> {
  const world = newWorld(virtualClock(), locking, GOOD);
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
    const actor = { world, name: `${name}, start ${i}`, random };
    if (start.shards > 0) await performPhases(actor, start);
    else await performRun(actor, start);
  };
  const ends = Promise.all(starts.map(playStart));
  // Awaited only after the clock has run.
  ends.catch(() => undefined);
  for (const { after, rows } of changes) {
    void clock.sleep(after).then(() => {
      world.source = rows;
    });
  }
  await clock.run();
  await ends;
}

/** Starts runs without faults, one after the other, until nothing is left of the earlier ones. */
async function settleDown(world: World, random: () => number): Promise<void> {
  let count = 0;
  const start = async (): Promise<Outcome> => {
    count += 1;
    const clean = { model: 'first', fresh: false, skipPublished: false, workers: 1, shards: 0, impatient: false, faults: [] };
    const outcome = performRun({ world, name: `clean ${count}`, random }, clean);
    await world.clock.run();
    return await outcome;
  };
  world.source = GOOD;
  const before = currentPublication(world.ledger)?.number ?? 0;
  // An unfinished run may have frozen rows that the gates refuse. Then it is final.
  let outcome = await start();
  while (outcome === 'refused' && count < 20) outcome = await start();
  expect(outcome).toBe('published');
  // That run may have resumed with older rows, or only have written a report. The next one cannot.
  expect(await start()).toBe('published');
  expect(currentPublication(world.ledger)?.number).toBeGreaterThan(before);
  expectPublished(world, world.ledger.findLast(({ state }) => state === 'published') as LedgerEntry, GOOD);
  expect(world.files.get(REPORT)?.split('\n').slice(1).join('\n')).toBe(linesOf(world.scores));
  const completed = new Set(world.ledger.filter(({ state }) => state === 'completed').map(({ runId }) => runId));
  expect(runsInScratch(world).filter((runId) => completed.has(runId))).toEqual([]);
  // Artifacts of unfinished and refused runs are removed after their deadline.
  world.later = 8 * DAY;
  expect(await start()).toBe('published');
  expect(runsInScratch(world)).toEqual([]);
}

const row = fc.record({ key: fc.nat(9).map((i) => `user ${i}`), value: fc.integer({ min: -2, max: 9 }) });
const rows = fc.uniqueArray(row, { selector: ({ key }) => key, maxLength: 10 });
// A run takes about 40 statements of 11 ms.
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
  locking: fc.constantFrom('optimistic', 'locked'),
  seed: fc.integer(),
  rounds: fc.array(round, { minLength: 1, maxLength: 3 }),
});

/** Scenarios to play. Set the variable to play more. */
const RUNS = Number(process.env.SCORE_BATCH_TEST_SCENARIOS ?? 150);

it('ends any sequence of starts, kills, lost answers, pauses and new data with one complete publication', async () => {
  await fc.assert(fc.asyncProperty(scenario, play), { numRuns: RUNS });
});

import { createHash } from 'node:crypto';
import { seededRandom } from '../../src/random.ts';
import { localTime } from '../../src/window/local-time.ts';
import { callApart, callHere, type Ended, type Place } from './command.ts';
import { drawHistory, ZONE } from './deliveries.ts';
import type { Variant } from './features.ts';
import type { BatchCall, Figures, Kills, SliceCall } from './figures.ts';
import { follow } from './follow.ts';
import { askOracle } from './oracle.ts';
import { changeModel, JOB, writeProject } from './project.ts';
import { microseconds, type Publication } from './publications.ts';
import { type Length, midnightBefore, scheduleOf } from './schedule.ts';
import { applyChange, createOrders, type RunSql, type Shop } from './shop.ts';
import { shopRows } from './shop-rows.ts';
import { viewOf } from './view.ts';
import { type Checks, held, Violation } from './violation.ts';
import { checkComparisons, checkWeekEnd, labelOf, readBoundary, type WeekEnd } from './week-end.ts';

export interface ReplayOptions extends Length {
  readonly seed: number;
  readonly variant: Variant;
  /** Probability that a slice is killed. */
  readonly kills: number;
  /** Probability that all users are scored as a batch after a slice. */
  readonly oracle: number;
  /** Empty folder for the project. */
  readonly folder: string;
  readonly shop: Shop;
  /** Receives a line for people. */
  readonly say: (line: string) => void;
}

/** One slice in this many runs as a separate process. */
const APART_EVERY = 50;
/** When a process is killed, as a share of the duration of the last complete one. */
const KILL_BETWEEN = [0.2, 1.2] as const;
/** Share of weeks after which a customer's first order can arrive late. */
const LATE_CUSTOMERS = 0.7;

/**
 * Replays the orders, slice after slice, and checks each. @throws Violation if a slice, a row or a comparison disagrees with
 * the orders
 */
export async function replay(options: ReplayOptions): Promise<Figures> {
  const { seed, variant, shop, folder, say } = options;
  const random = seededRandom(seed + 1);
  const schedule = scheduleOf(options);
  const [start = 0] = schedule.ticks;
  const lateCustomersFrom = start + LATE_CUSTOMERS * (schedule.end - start);
  const rows = shopRows(drawHistory({ seed, until: schedule.until, lateCustomersFrom }));
  const view = viewOf(rows, variant);
  const checks: Checks = new Map();
  const follower = follow(shop, view, checks);
  await writeProject(folder, { variant, kind: shop.kind, url: shop.url });
  await shop.visit((run) => createOrders(shop, run));

  const calls: SliceCall[] = [];
  const apart: number[] = [];
  const batches: BatchCall[] = [];
  const kills: Kills = { killed: 0, resumed: 0, published: 0 };
  const weekEnds: WeekEnd[] = [];
  const batchUsers = new Set<number>();
  let [oracles, changed] = [0, false];
  /** Digest of what people have read since the batch last published. */
  let shown: string | undefined;
  /** When all users were last read, by the replay's clock. */
  let wholeAt = 0;

  let place = placeAt(start);
  for (const [count, now] of schedule.ticks.entries()) {
    place = placeAt(now);
    const change = rows.advance(now);
    await shop.visit((run) => applyChange(shop, run, change));
    if (rows.rows() === 0 || schedule.outages.some(([from, to]) => now >= from && now < to)) continue;
    if (!changed && now >= schedule.modelChange) {
      changed = true;
      await changeModel(folder);
      say('the job has its second model');
    }
    // The first process shows how long one takes.
    if (apart.length > 0 && random() < options.kills && !(await killOne(place))) continue;
    const published = await sliceAt(place, apart.length === 0 || count % APART_EVERY === 0);
    if (published.some(({ slice }) => slice.kind !== 'changes')) {
      wholeAt = now;
      say(
        `${localTime(new Date(now).toISOString(), ZONE)}: ${follower.newest?.number} slices, ${follower.newest?.outcome.users} users`,
      );
    }
    for (const { slice } of published) if (slice.boundary !== null) await weekEndAt(place, slice.boundary);
    if (random() < options.oracle) await oracleAt(place, published);
    const end = follower.newest?.slice.as_of ?? '';
    if (now > schedule.end && end !== '' && microseconds(end) / 1000 > schedule.end) break;
  }
  // A slice compares itself with batches published before it.
  await sliceAt(place, false);
  await shop.visit((run) => follower.lookAtAll(run));
  const within = await shop.visit((run) => checkComparisons(run, weekEnds, checks));
  return { calls, apart, batches, kills, oracles, within, checks };

  function placeAt(now: number): Place {
    const environment = { ...shop.environment, SCORE_BATCH_NOW: new Date(now).toISOString(), NO_COLOR: '1' };
    return { folder, environment };
  }

  /** @returns whether the slice is restarted at once; otherwise it continues at the next tick, when there is more to read */
  async function killOne(place: Place): Promise<boolean> {
    const [least, most] = KILL_BETWEEN;
    const share = least + random() * (most - least);
    const ended = await callApart(place, SLICE, 1000 * share * (apart.at(-1) ?? 0));
    if (ended.code === null) kills.killed += 1;
    else if (ended.code !== 0) throw failed(ended);
    const { published, open } = await shop.visit((run) => follower.look(run));
    if (ended.code === null && published.length > 0) kills.published += 1;
    if (open !== undefined) kills.resumed += 1;
    const hadWhole = published.some(({ slice }) => slice.kind !== 'changes');
    if (hadWhole) wholeAt = Date.parse(place.environment.SCORE_BATCH_NOW ?? '');
    for (const { slice } of published) if (slice.boundary !== null) await weekEndAt(place, slice.boundary);
    // The rows of the end of a week must be those that its batch reads.
    const isUrgent = open !== undefined && open.boundary !== null;
    return ended.code === null && (isUrgent || random() < 0.5);
  }

  async function sliceAt(place: Place, inOwnProcess: boolean): Promise<readonly Publication[]> {
    const ended = await (inOwnProcess ? callApart(place, SLICE) : callHere(place, SLICE));
    if (ended.code !== 0) throw failed(ended);
    const { published } = await shop.visit((run) => follower.look(run));
    if (inOwnProcess) apart.push(ended.wall);
    const recorded = published.reduce((sum, { seconds }) => sum + seconds, 0);
    if (recorded > ended.wall + 1)
      throw new Violation('seconds', [`slices recorded ${recorded}, the command took ${ended.wall}`]);
    calls.push({ published, wall: ended.wall, cpu: ended.cpu, ...rowsOf(published) });
    return published;
  }

  /** Rows of orders whose users were read by slices of changes. */
  function rowsOf(published: readonly Publication[]): Pick<SliceCall, 'rows' | 'rowsRead'> {
    const users = new Set(published.flatMap(({ slice }) => (slice.kind === 'changes' ? [...view.changed(slice)] : [])));
    const rowsRead = [...users].reduce((sum, customer) => sum + view.rowsOf(customer), 0);
    return { rows: rows.rows(), rowsRead };
  }

  async function weekEndAt(place: Place, boundary: string): Promise<void> {
    const label = labelOf(boundary);
    const current = await shop.visit((run) => readBoundary(shop, run, boundary));
    const ended = await callHere(place, ['--job', JOB, '--week', label]);
    if (ended.code !== 0) throw failed(ended);
    const weekEnd = await shop.visit(async (run) => {
      shown = await viewDigest(run);
      return await checkWeekEnd({ run, view, boundary, current, batchUsers, checks });
    });
    weekEnds.push(weekEnd);
    batches.push({ label, users: weekEnd.users, wall: ended.wall, cpu: ended.cpu ?? Number.NaN });
    say(`${label}: ${weekEnd.users} users as in the batch, ${current.size} in the current table, ${weekEnd.extra} in no batch`);
  }

  async function oracleAt(place: Place, published: readonly Publication[]): Promise<void> {
    const { newest, known } = follower;
    if (newest === undefined || published.length === 0) return;
    oracles += 1;
    const stale = new Set([...rows.removed].filter(([, at]) => at > wholeAt).map(([customer]) => customer));
    const own = { shop, place, variant, known, digest: newest.digest, checks };
    await askOracle({ ...own, asOf: newest.slice.as_of, stale });
    await shop.visit(async (run) => {
      await follower.lookAtAll(run);
      const seen = await viewDigest(run);
      if (shown !== undefined && seen !== shown) throw new Violation('the view', ['a slice has changed what people read']);
      if (shown !== undefined) held(checks, 'looks at the view in shadow: slices change nothing');
      // The first slice after a batch creates the view.
      shown = seen;
    });
    const tombstones = [...rows.removed.keys()].filter((customer) => {
      const row = known.row(customer);
      return row?.deleted === true && row.asOf <= midnightBefore(newest.slice.as_of);
    });
    held(checks, 'deleted users seen as tombstones', tombstones.length);
  }
}

const SLICE = ['--job', JOB, '--slice'];

function failed({ code, stdout, stderr }: Ended): Error {
  return new Error(`the command ended with ${code}\n${stdout}\n${stderr}`);
}

/** Digest of what people read; undefined until the batch has published, because there is nothing to read. */
async function viewDigest(run: RunSql): Promise<string | undefined> {
  const rows = await run('select * from marketing.churn_now').catch((error: unknown) => {
    if (/does not exist|not found/i.test(String(error))) return undefined;
    throw error;
  });
  if (rows === undefined) return undefined;
  return createHash('sha256')
    .update(
      rows
        .map((row) => JSON.stringify(row))
        .sort()
        .join('\n'),
    )
    .digest('hex');
}

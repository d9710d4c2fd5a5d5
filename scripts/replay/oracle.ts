import { callHere, type Place } from './command.ts';
import { DAY } from './deliveries.ts';
import { type Known, scoreOf } from './expected.ts';
import type { Variant } from './features.ts';
import { SINCE } from './project.ts';
import { microseconds } from './publications.ts';
import { midnightBefore } from './schedule.ts';
import type { Shop } from './shop.ts';
import { type Checks, held, Violation } from './violation.ts';
import { isSame, type Judged, readBatch } from './week-end.ts';

// Scores all users as a batch, with another job file, query and tables, over the window from the first week to the instant of
// the newest slice.

interface OracleOptions {
  readonly shop: Shop;
  readonly place: Place;
  readonly variant: Variant;
  readonly known: Known;
  readonly digest: string;
  /** Instant of the newest slice. */
  readonly asOf: string;
  /** Users whose orders were deleted since all users were last read. */
  readonly stale: ReadonlySet<number>;
  readonly checks: Checks;
}

/** Compares every user of the current table with a batch. @throws Violation */
export async function askOracle({ variant, asOf, ...options }: OracleOptions): Promise<void> {
  if (variant === 'steady') {
    // A window ends at a whole millisecond.
    await compareAt(options, new Date(Math.ceil(microseconds(asOf) / 1000)).toISOString(), () => true);
    return;
  }
  // Ages are as of the last midnight, or of the next one for users that have changed since.
  const midnight = midnightBefore(asOf);
  await compareAt(options, isoOf(midnight), (rowAsOf) => rowAsOf <= midnight);
  await compareAt(options, new Date(microseconds(midnight) / 1000 + DAY).toISOString(), (rowAsOf) => rowAsOf > midnight);
}

function isoOf(instant: string): string {
  return new Date(microseconds(instant) / 1000).toISOString();
}

async function compareAt(
  { shop, place, known, digest, stale, checks }: Omit<OracleOptions, 'variant' | 'asOf'>,
  end: string,
  isOfIt: (rowAsOf: string) => boolean,
): Promise<void> {
  const args = ['--job', 'oracle', '--from', SINCE, '--to', end, '--allow-open', '--allow-empty', '--json'];
  const ended = await callHere(place, args);
  if (ended.code !== 0) throw new Error(`the oracle ended with ${ended.code}\n${ended.stderr}`);
  const runId = (JSON.parse(ended.stdout) as { run_id: string }).run_id;
  const found = await shop.visit(async (run) => {
    const rows = await readBatch(run, { scores: 'oracle.scores', where: `run_id = '${runId}'` });
    if (shop.kind === 'duckdb') await run('drop schema oracle cascade');
    return rows;
  });
  const problems: string[] = [];
  let compared = 0;
  for (const [customer, row] of known.rows) {
    if (row.deleted || row.digest !== digest || !isOfIt(row.asOf) || stale.has(customer)) continue;
    const batch = found.get(customer);
    const score = scoreOf(known, row) ?? null;
    if (batch === undefined) problems.push(`customer ${customer} is in the current table only`);
    else if (!isSame(batch.score, score)) problems.push(`customer ${customer} has ${score}, by the batch's way ${batch.score}`);
    else compared += 1;
  }
  problems.push(...onlyInBatch(found, known, stale));
  if (problems.length > 0) throw new Violation(`all users as of ${end}`, problems);
  held(checks, "users at random hours: the current row equals all users scored by the batch's way", compared);
}

function onlyInBatch(found: ReadonlyMap<number, Judged>, known: Known, stale: ReadonlySet<number>): string[] {
  return [...found.keys()]
    .filter((customer) => !stale.has(customer) && (known.row(customer)?.deleted ?? true))
    .map((customer) => `customer ${customer} is not in the current table`);
}

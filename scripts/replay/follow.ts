import type { SliceDetails } from '../../src/domain/slice.ts';
import { readCurrent } from './current-rows.ts';
import { applySlice, type Draft, draftOn, type Known, nothingKnown, type SliceCounts } from './expected.ts';
import { RESCORE_ROWS } from './project.ts';
import { microseconds, type Publication, readSlices } from './publications.ts';
import { rowProblems } from './row-problems.ts';
import type { RunSql, Shop } from './shop.ts';
import { keptView, type View } from './view.ts';
import { type Checks, held, Violation } from './violation.ts';

/** Follows the slices of the replay, and checks each against the expectations. */
export interface Follower {
  readonly known: Known;
  /** The newest publication. */
  readonly newest: Publication | undefined;
  /**
   * Checks what was published since the last call.
   *
   * @throws Violation
   */
  look(run: RunSql): Promise<Seen>;
  /** Compares every row of the table. @throws Violation */
  lookAtAll(run: RunSql): Promise<void>;
}

/** What was published since the last call, oldest first, and the slice that has begun but not ended. */
interface Seen {
  readonly published: readonly Publication[];
  readonly open: SliceDetails | undefined;
}

/** What was visible when a killed slice read its keys and its rows. */
interface Sight {
  readonly keys: View;
  readonly rows: View;
}

export function follow(shop: Shop, view: View, checks: Checks): Follower {
  const known = nothingKnown();
  let newest: Publication | undefined;
  let unfinished: { readonly runId: string; readonly earlier: View } | undefined;

  async function look(run: RunSql): Promise<Seen> {
    const after = newest?.number ?? 0;
    const slices = await readSlices(run, after);
    const { published } = slices;
    if (published.length > 0) {
      const rows = await readCurrent(shop, run, after);
      const sights =
        published[0]?.runId === unfinished?.runId ? sightsOf(view, unfinished?.earlier) : sightsOf(view, undefined);
      let draft: Draft | undefined;
      let problems: string[] = [];
      for (const sight of sights) {
        const attempt = draftOn(known);
        const found = [...slicesProblems(attempt, published, sight)];
        found.push(...rowProblems(attempt, rows), ...missing(attempt, new Set(rows.map(({ customer }) => customer))));
        if (found.length === 0) {
          draft = attempt;
          break;
        }
        problems = found;
      }
      if (draft === undefined) throw new Violation(`slices ${after + 1} to ${published.at(-1)?.number}`, problems);
      known.keep(draft);
      newest = published.at(-1);
      held(checks, 'rows that a slice wrote: position, features, score, band, changed_at, previous_score', rows.length);
      held(checks, 'slices: number, spans, as_of, changed keys, counts', published.length);
      unfinished = undefined;
    }
    const open = slices.unfinished;
    if (open !== undefined && open.runId !== unfinished?.runId)
      unfinished = { runId: open.runId, earlier: keptView(view, open.slice) };
    return { published, open: open?.slice };
  }

  function slicesProblems(draft: Draft, published: readonly Publication[], sight: Sight): string[] {
    const problems: string[] = [];
    let before = newest;
    for (const [i, publication] of published.entries()) {
      const { keys, rows } = i === 0 ? sight : { keys: view, rows: view };
      const users = usersOf(draft, publication, { keys, before });
      const { slice, digest, number } = publication;
      const counts = applySlice(draft, {
        ...{ position: number, asOf: slice.as_of, digest, keys: users },
        features: (customer) => rows.features(customer, slice.as_of),
      });
      const found = [...chainProblems(publication, before), ...outcomeProblems(draft, publication, counts, users.size)];
      problems.push(...found.map((problem) => `slice ${number}: ${problem}`));
      before = publication;
    }
    return problems;
  }

  /** Users whom a slice must read. */
  function usersOf(
    draft: Draft,
    { slice, digest }: Publication,
    { keys, before }: { readonly keys: View; readonly before: Publication | undefined },
  ): Set<number> {
    const everybody = () => [...known.rows.keys(), ...draft.rows.keys()];
    if (slice.kind !== 'changes') return new Set([...keys.customers(), ...everybody()]);
    const users = new Set(keys.changed(slice));
    if (before === undefined || (before.digest === digest && before.outcome.other_model === 0)) return users;
    const others = [...new Set(everybody())].filter((customer) => isOfOtherModel(draft, customer, digest));
    others.sort((a, b) => placeOf(draft, a) - placeOf(draft, b) || (String(a) < String(b) ? -1 : 1));
    for (const customer of others.slice(0, RESCORE_ROWS)) users.add(customer);
    return users;
  }

  function outcomeProblems(
    draft: Draft,
    { slice, digest, outcome }: Publication,
    counts: SliceCounts,
    users: number,
  ): string[] {
    const all = new Set([...known.rows.keys(), ...draft.rows.keys()]);
    const live = [...all].filter((customer) => draft.row(customer)?.deleted === false);
    const pairs: readonly (readonly [name: string, found: unknown, expected: unknown])[] = [
      ['changed_keys', outcome.changed_keys, slice.kind === 'changes' ? users : null],
      ['scored', outcome.scored, counts.scored],
      ['unchanged', outcome.unchanged, counts.unchanged],
      ['quarantined', outcome.quarantined, counts.quarantined],
      ['deleted', outcome.deleted, counts.deleted],
      ['users', outcome.users, live.length],
      ['other_model', outcome.other_model, live.filter((customer) => isOfOtherModel(draft, customer, digest)).length],
    ];
    return pairs
      .filter(([, found, expected]) => found !== expected)
      .map(([name, found, expected]) => `${name} is ${found}, not ${expected}`);
  }

  async function lookAtAll(run: RunSql): Promise<void> {
    const rows = await readCurrent(shop, run, 0);
    const draft = draftOn(known);
    const problems = rowProblems(draft, rows);
    if (rows.length !== known.rows.size) problems.push(`${rows.length} rows, not ${known.rows.size}`);
    if (problems.length > 0) throw new Violation('the whole current table', problems);
    held(checks, 'rows of the whole table, at random hours', rows.length);
  }

  return {
    known,
    get newest() {
      return newest;
    },
    look,
    lookAtAll,
  };
}

/** A resumed slice read its keys and rows before the kill, both after it, or the keys before and the rows after. */
function sightsOf(now: View, earlier: View | undefined): Sight[] {
  const sights = [{ keys: now, rows: now }];
  return earlier === undefined ? sights : [...sights, { keys: earlier, rows: earlier }, { keys: earlier, rows: now }];
}

function missing(draft: Draft, found: ReadonlySet<number>): string[] {
  return [...draft.rows.keys()]
    .filter((customer) => !found.has(customer))
    .map((customer) => `customer ${customer} was not written`);
}

function isOfOtherModel(draft: Draft, customer: number, digest: string): boolean {
  const row = draft.row(customer);
  return row !== undefined && !row.deleted && row.digest !== digest;
}

function placeOf(draft: Draft, customer: number): number {
  return draft.row(customer)?.position ?? 0;
}

/** Numbers without gaps, adjacent spans, instants that never go back. */
function chainProblems({ number, slice }: Publication, before: Publication | undefined): string[] {
  const problems: string[] = [];
  if (number !== (before?.number ?? 0) + 1) problems.push(`follows ${before?.number}`);
  if (slice.follows !== (before?.number ?? null)) problems.push(`says that it follows ${slice.follows}`);
  const [span] = slice.spans;
  const end = before?.slice.spans[0]?.to ?? null;
  if (slice.spans.length !== 1 || span === undefined) return [...problems, `has ${slice.spans.length} spans`];
  if (span.from !== end) problems.push(`begins at ${span.from}, the slice before ended at ${end}`);
  if (span.from !== null && microseconds(span.to) < microseconds(span.from))
    problems.push(`ends at ${span.to}, before ${span.from}`);
  if (microseconds(slice.as_of) !== microseconds(span.to)) problems.push(`is as of ${slice.as_of}, and ends at ${span.to}`);
  return problems;
}

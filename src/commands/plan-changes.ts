import { newTables } from '../changes/new-tables.ts';
import { baseOf, changesSince } from '../changes/since.ts';
import { divergence } from '../changes/unfinished.ts';
import { currentPublication, unfinishedRun } from '../domain/ledger.ts';
import { replacedLayout } from '../domain/replaced-tables.ts';
import type { TableLayout } from '../domain/tables.ts';
import { OUTSIDE_FINGERPRINT } from '../job/fingerprint.ts';
import type { PlanOutput } from '../json/plan.ts';
import type { Plan } from '../plan/plan.ts';
import { otherUnfinishedRuns } from '../run/unfinished.ts';
import { type Facts, touchedTables } from './plan-facts.ts';

export type PlannedChanges = Pick<
  PlanOutput,
  'outcome' | 'times_published' | 'since' | 'changes' | 'creates' | 'unfinished' | 'edits'
>;

/** What makes an unfinished run start over. */
const STARTS_OVER = ['the query', 'the model bundle', 'the types of the columns', 'any other key of the job file'];

/** What a run would publish differently, the tables it would create, and what would happen to an unfinished run. */
export async function describeChanges(plan: Plan, facts: Facts): Promise<PlannedChanges> {
  const base = await baseOf(plan);
  const times = new Set(plan.entries.flatMap(({ publication, rows }) => (rows && publication) ?? [])).size;
  const since = base && {
    window: base.entry.window.label,
    run_id: base.run.runId,
    publication: base.entry.publication,
    recorded_at: base.entry.recordedAt,
    rows: base.entry.rows,
    model: base.entry.model,
  };
  const known = {
    times_published: times,
    since: since ?? null,
    changes: base ? await changesSince(base, plan) : null,
    creates: await plan.sink.read((reader) => newTables(reader, [...touchedTables(plan), ...keptTables(plan)])),
    unfinished: unfinishedOf(plan),
    edits: { resumed_after: [...OUTSIDE_FINGERPRINT, 'score.providers (devices)'], starts_over_after: STARTS_OVER },
  };
  return { outcome: `${outcomeOf(facts, known)}${afterRollback(plan)}`, ...known };
}

/** A warning, because a plan does not score, and so cannot tell whether the scores equal those that were rolled back. */
function afterRollback({ entries }: Plan): string {
  const { rolledBack = [] } = currentPublication(entries) ?? {};
  const numbers = rolledBack.map(({ publication }) => publication).join(' and ');
  return rolledBack.length === 0
    ? ''
    : `; publication ${numbers} was rolled back: if the scores are the same again, the run would be refused`;
}

/** The tables for rows that the run would replace. */
function keptTables(plan: Plan): TableLayout[] {
  const replaces = plan.overlaps.length > 0 || currentPublication(plan.entries) !== undefined;
  if (!replaces || plan.job.definition.sink.history === 0) return [];
  return touchedTables(plan).flatMap((table) => (table === plan.tables.ledger ? [] : [replacedLayout(table)]));
}

/** The run to be resumed; otherwise the newest unfinished one, and why it is not resumed. */
function unfinishedOf({ entries, fingerprint, basis }: Plan): PlanOutput['unfinished'] {
  const mine = unfinishedRun(entries, fingerprint);
  const run = mine ?? otherUnfinishedRuns(entries, fingerprint).sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0];
  if (run === undefined || basis === undefined) return null;
  const why = mine ? { differs: [], keys: [] } : divergence(run, basis);
  // A published run lacks only its report files.
  const published = run.state === 'published' && currentPublication(entries)?.runId === run.runId;
  return { run_id: run.runId, started_at: run.startedAt, resumed: mine !== undefined, published, ...why };
}

/** What would happen, in one sentence. */
function outcomeOf(
  facts: Facts,
  { times_published: times, since, changes, unfinished }: Omit<PlannedChanges, 'outcome'>,
): string {
  const { window, rows } = facts;
  const what = `${facts.job} ${window.label}`;
  if (unfinished?.resumed && unfinished.published)
    return `${what} is published by run ${unfinished.run_id}, and only its report files would be written`;
  const [refusal] = facts.would_be_refused;
  if (refusal !== undefined) return `${what} would be refused: ${refusal}`;
  const own = since?.window === window.label;
  const before = since === null ? '' : since.rows.frozen.toLocaleString('en');
  const count = rows === null ? 'an unknown number of rows' : `${rows.toLocaleString('en')} ${rows === 1 ? 'row' : 'rows'}`;
  const instead =
    since === null
      ? ''
      : own
        ? rows === since.rows.frozen
          ? ', as before'
          : ` instead of ${before}`
        : `, after ${before} for ${since.window}`;
  const model = changes?.model
    ? `, with model ${facts.model.name} ${facts.model.version} instead of ${nameOf(changes.model.before, facts.model.name)}`
    : '';
  return `${what} would be published for the ${ordinal(times + 1)} time: ${count}${instead}${model}`;
}

function nameOf({ name, version }: { readonly name: string; readonly version: string }, now: string): string {
  return name === now ? version : `${name} ${version}`;
}

/** `first`, `second`, …, `10th`, `21st` */
function ordinal(number: number): string {
  const words = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth'];
  const ending = { one: 'st', two: 'nd', few: 'rd', other: 'th', zero: 'th', many: 'th' };
  return words[number - 1] ?? `${number}${ending[new Intl.PluralRules('en', { type: 'ordinal' }).select(number)]}`;
}

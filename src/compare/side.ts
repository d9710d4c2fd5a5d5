import type { SideFacts } from '../domain/comparison.ts';
import { counted, grouped } from '../domain/counted.ts';
import { currentPublication, type LedgerEntry, type LedgerWindow, lastPublished, type Run, runsOf } from '../domain/ledger.ts';
import { showTableName, type TableName } from '../domain/table-name.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { TableReader } from '../warehouse/reader.ts';
import type { Ledger } from '../warehouse/warehouse.ts';
import { windowFromFlags } from '../window/flags.ts';
import { type PublishedRows, publishedRows, type ScoredRows, tableOf } from './scored-rows.ts';

/** A publication to compare, found in the ledger. */
export interface FoundSide {
  readonly facts: SideFacts;
  readonly run: Run;
  readonly window: LedgerWindow;
  readonly rows: PublishedRows;
  /** Users that it published, without those erased since. */
  readonly users: number;
}

export interface SideSource {
  readonly definition: JobDefinition;
  readonly ledger: Ledger;
  /** The job's scores table. */
  readonly scores: TableName;
  /** The command that publishes the window, for a hint. */
  readonly publish?: string;
}

/**
 * Resolves a name given by the user: a window's label means its current publication, a run's id that run's last publication.
 *
 * @throws ScoreBatchError `usage` if there is no such window or run, `refused` if it has no publication, `configuration` if it
 * was published with other columns than the job has now
 */
export async function findSide(name: string, source: SideSource): Promise<FoundSide> {
  const { definition, ledger } = source;
  const job = definition.name;
  const label = windowNamed(name, definition.time_zone);
  if (label !== undefined) {
    const entries = await ledger.entries({ job, window: label });
    return sideOf(name, entries, currentPublication(entries)?.runId, source);
  }
  const ofRun = (await ledger.entries({ runs: [name] })).filter(({ runId }) => runId === name);
  const own = ofRun.find((entry) => entry.job === job);
  if (own !== undefined) return sideOf(name, await ledger.entries({ job, window: own.window }), name, source);
  const other = ofRun[0]?.job;
  if (other !== undefined) {
    throw new ScoreBatchError('usage', `run ${name} belongs to the job ${other}, not to ${job}`, {
      hint: 'name the job of A with --job, and the job of B with --with-job',
    });
  }
  const all = await ledger.entries({ job });
  const labelled = all.findLast(({ window }) => window.label === name);
  if (labelled !== undefined) {
    const entries = await ledger.entries({ job, window: labelled.window });
    return sideOf(name, entries, currentPublication(entries)?.runId, source);
  }
  throw new ScoreBatchError('usage', `${job} has no window or run ${name}`, {
    hint: 'name a window like 2026-W46 or 2026-11-18, or the id of a run; `score-batch status` lists them',
  });
}

/** Undefined if the string does not have the form of a week, a day or an hour. */
function windowNamed(name: string, zone: string): { readonly start: string; readonly end: string } | undefined {
  const flags = /^\d{4}-W\d{2}$/.test(name)
    ? { week: name }
    : /^\d{4}-\d{2}-\d{2}$/.test(name)
      ? { date: name }
      : /^\d{4}-\d{2}-\d{2}T\d{2}$/.test(name)
        ? { hour: name }
        : undefined;
  if (flags === undefined) return undefined;
  const { start, end } = windowFromFlags(flags, zone, 0);
  return { start: start.toISOString(), end: end.toISOString() };
}

/** @param entries all of the window */
function sideOf(name: string, entries: readonly LedgerEntry[], runId: string | undefined, source: SideSource): FoundSide {
  const run = runsOf(entries).find((one) => one.runId === runId);
  const { publication } =
    entries.findLast((entry) => entry.runId === runId && entry.publication !== undefined && entry.rows !== undefined) ?? {};
  const current = currentPublication(entries);
  const replaced = current?.runId !== runId;
  // The entry counts rows at publication; these are the counts after erasures.
  const rows = replaced ? run?.rows : current?.rows;
  if (run === undefined || publication === undefined || rows === undefined) throw unpublished(name, entries, run, source);
  const { job, window, model } = run;
  const { scores, definition } = source;
  const columns = run.details.columns ?? [];
  const table = Array.isArray(run.details.table) ? run.details.table.map(String) : scores;
  const { key, score } = columnsOf(name, columns, definition);
  return {
    facts: {
      ...{ name, job, window: { label: window.label, start: window.start, end: window.end }, run_id: run.runId },
      ...{ publication, rows: replaced ? 'replaced' : 'published', model },
    },
    run,
    window,
    rows: {
      ...{ table: { name: table, columns }, job, window, runId: run.runId, publication, replaced, key, score },
    },
    users: rows.scored,
  };
}

/** The job file's key and score among the published columns. */
function columnsOf(name: string, columns: PublishedRows['table']['columns'], { source, score }: JobDefinition) {
  const find = (wanted: string) => columns.find((column) => column.name.toLowerCase() === wanted.toLowerCase());
  const missing = [...source.key, score.column].filter((column) => find(column) === undefined);
  if (missing.length > 0) {
    const had = columns.map((column) => column.name).slice(0, 8);
    throw new ScoreBatchError(
      'configuration',
      `${name} was published without ${missing.join(', ')}, which the job file now has as key or score`,
      {
        details: [`it was published with ${had.join(', ')}${columns.length > had.length ? ', …' : ''}`],
        hint: 'compare runs with the same key and score column: run the window again, or pass --job with the job file that it was published with',
      },
    );
  }
  return { key: source.key.flatMap((column) => find(column) ?? []), score: find(score.column)?.name ?? score.column };
}

function unpublished(
  name: string,
  entries: readonly LedgerEntry[],
  run: Run | undefined,
  { definition, publish }: SideSource,
): ScoreBatchError {
  const by = lastPublished(entries)?.details.superseded_by;
  if (run !== undefined) {
    return new ScoreBatchError('refused', `run ${name} was never published: it is ${run.state}`, {
      hint: 'compare it once it is published, or compare another run of its window; `score-batch status` lists them',
    });
  }
  if (by !== undefined) {
    return new ScoreBatchError('refused', `${name} is no longer published: run ${by.run_id} superseded it`, {
      hint: `compare that run, or run ${name} again`,
    });
  }
  return new ScoreBatchError('refused', `nothing is published for ${name} by the job ${definition.name}`, {
    hint: `run ${publish === undefined ? 'the job for this window' : `\`${publish}\``} first, or choose another window; \`score-batch status --job ${definition.name}\` lists what is published`,
  });
}

/**
 * The rows of a publication in its warehouse, which must match the ledger's count.
 *
 * @throws ScoreBatchError `refused` if they are gone or were changed
 */
export async function rowsOfSide(reader: TableReader, { facts, rows, users }: FoundSide): Promise<ScoredRows> {
  const table = tableOf(rows);
  const found = await reader.find(table);
  if (found === undefined) throw gone(facts, rows);
  const scored = publishedRows(reader.dialect, found, rows);
  const text = reader.dialect.type({ type: 'string' });
  const [[held] = []] = await reader.rows(`SELECT CAST(COUNT(*) AS ${text}) AS held FROM (${scored.select}) side_rows`);
  if (Number(held) === users) return scored;
  if (Number(held) === 0 && rows.replaced) throw gone(facts, rows);
  throw new ScoreBatchError(
    'refused',
    `${showTableName(table.name)} holds ${counted(Number(held), 'row')} of ${facts.name}, but the ledger says that run ${facts.run_id} has ${grouped(users)}`,
    { hint: 'someone changed the table, or another run is publishing the window; compare again, or run the window again' },
  );
}

function gone({ name, window }: SideFacts, { table, replaced }: PublishedRows): ScoreBatchError {
  if (!replaced)
    return new ScoreBatchError('refused', `the table ${showTableName(table.name)} of ${name} no longer exists`, {
      hint: `run ${window.label} again`,
    });
  return new ScoreBatchError(
    'refused',
    `the rows of run ${name} are gone: another publication of ${window.label} replaced them, and they were not kept, or not long enough`,
    { hint: 'to keep more replaced publications from now on, raise sink.history; to keep them longer, raise sink.history_for' },
  );
}

/** @throws ScoreBatchError `usage` if both are the same publication */
export function refuseSameSide(a: SideFacts, b: SideFacts): void {
  if (a.job !== b.job || a.run_id !== b.run_id || a.publication !== b.publication) return;
  const what = a.name === b.name ? `A and B are both ${a.name}` : `${a.name} and ${b.name} are the same publication`;
  throw new ScoreBatchError('usage', `${what}, run ${a.run_id}`, {
    hint: 'name two windows, two runs of a window (`score-batch status` lists them), or one side and --model',
  });
}

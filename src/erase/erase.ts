import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { challengerJob } from '../domain/challenger.ts';
import { awaitingFiles, corrections, type FoundRows, type Person } from '../domain/erasure.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import { layoutInPlace } from '../domain/replaced-tables.ts';
import { incrementalJob, isSliceJob } from '../domain/slice.ts';
import { showTableName } from '../domain/table-name.ts';
import { ledgerLayout, type TableColumn } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { JobDefinition } from '../job/schema.ts';
import { tableNames, type Warehouses } from '../plan/warehouses.ts';
import { sessionUser } from '../warehouse/session-user.ts';
import { filesElsewhere, remakeFiles } from './files.ts';
import { type Found, findRows } from './find.ts';
import { type PersonTables, personOf, publishedColumns, tablesOfPerson } from './person.ts';
import { eraseKept, findLeftovers, keptRows, refuseOpenRuns } from './scratch.ts';
import { type KnownSlices, knownSlices, tablesOfSlices } from './slices.ts';
import { unsearchedTables } from './unsearched.ts';

export interface EraseOptions {
  /** Values of the key's columns, as somebody wrote them. */
  readonly values: readonly string[];
  readonly reason: string;
  readonly dryRun: boolean;
}

/** What was removed, or would be. It does not name the person. */
export interface Erased {
  /** Id of the ledger entry; undefined if nothing was found. */
  readonly id: string | undefined;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Number of kept rows, by run. */
  readonly kept: Readonly<Record<string, number>>;
  /** Artifacts of runs in scratch and on this machine that were dropped. */
  readonly dropped: readonly string[];
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

/** How often other processes may write to the ledger between the search and the transaction. */
const MAX_TRIES = 5;

/**
 * Removes a person from everything that the job has written. Kept rows go first, and the ledger entry is written last: after a
 * kill, the same call does what is left.
 *
 * @throws ScoreBatchError `conflict` if a run that has read rows may still publish, `refused` if kept rows cannot be read,
 * `configuration` if kept or published rows have another key
 */
export async function erasePerson(job: Job, warehouses: Warehouses, options: EraseOptions, context: Context): Promise<Erased> {
  const { definition } = job;
  const { source, ledger } = warehouses;
  const entries = await ledger.entries({ job: definition.name });
  const slices = await knownSlices(job, warehouses);
  const left = await findLeftovers(job, warehouses, { entries, slices: slices.newest });
  const kept: Record<string, number> = {};
  // Before the first one changes, read all of them and check that they have the key.
  const searched = (await keptRows(source, left.kept)).map((frozen) => {
    const columns = frozen.columns.flatMap(({ type, ...column }) => (type === 'other' ? [] : [{ ...column, type }]));
    return { frozen, person: personOf(options.values, definition, columns) };
  });
  for (const columns of [publishedColumns(definition, entries), ...slices.tables.map((table) => table.columns)])
    if (columns) personOf(options.values, definition, columns);
  for (const { frozen, person } of searched) {
    const rows = await eraseKept(source, frozen, person, options.dryRun);
    if (rows > 0) kept[frozen.runId] = rows;
  }
  if (!options.dryRun) for (const one of left.dropped) await one.drop();
  const published = await erasePublished(job, warehouses, options, kept);
  const after = options.dryRun ? entries : await ledger.entries({ job: definition.name });
  const remade = options.dryRun ? { files: [], warnings: [] } : await remakeFiles(job, warehouses, after, context.signal);
  const warnings = [
    ...published.warnings,
    ...remade.warnings,
    ...left.unknown.map(({ name, why }) => `${name} may hold the person: ${why}`),
    ...(await filesElsewhere(job, after, new Set([...published.affected, ...awaitingFiles(after)]), warehouses.stores)),
  ];
  return { ...published, kept, dropped: left.dropped.map(({ name }) => name), files: remade.files, warnings };
}

interface ErasedRows extends Pick<Erased, 'id' | 'rows' | 'warnings'> {
  /** Ids of the runs that lost rows. */
  readonly affected: ReadonlySet<string>;
}

/** Removes the person from the published tables, and records what was removed from where. */
async function erasePublished(
  job: Job,
  { sink, ledger }: Warehouses,
  { values, reason, dryRun }: EraseOptions,
  kept: Readonly<Record<string, number>>,
): Promise<ErasedRows> {
  const { definition } = job;
  const id = `erase-${randomBytes(6).toString('hex')}`;
  const user = (await sessionUser(sink)) ?? null;
  const keptRows = Object.values(kept).reduce((sum, rows) => sum + rows, 0);
  let last: ErasedRows | undefined;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const entries = await entriesOf(ledger, definition.name);
    // The answer of the transaction was lost.
    if (last && entries.some(({ runId }) => runId === id)) return last;
    const own = entries.filter((entry) => entry.job === definition.name);
    const slices = await knownSlices(job, { sink, ledger });
    if (!dryRun) for (const open of [own, slices.newest]) refuseOpenRuns(open, new Set());
    const columns = publishedColumns(definition, own);
    const known = columns ?? slices.tables.at(-1)?.columns;
    const person = known && personOf(values, definition, known);
    const found: Found = person
      ? await findRows(sink, definition, person, {
          ...tablesToSearch(definition, { columns, person, entries, slices }),
          entries,
        })
      : { rows: [], segments: [], warnings: [] };
    const rows = Object.fromEntries(found.rows.map((table) => [shownName(table), table.rows.length]));
    const entry = erasedEntry(id, definition.name, { reason, user, rows, kept_rows: keptRows });
    const corrected = corrections(found.rows, entries, entry);
    const warnings = [...found.warnings, ...unsearchedTables(definition, entries, found.rows), ...broughtBack(found.rows)];
    last = { id, rows, warnings, affected: new Set(corrected.map(({ runId }) => runId)) };
    if (dryRun || (found.rows.length === 0 && keptRows === 0)) return { ...last, id: undefined };
    const done = await sink.erase({
      ...{ entry, corrections: corrected, found: found.rows, segments: found.segments },
      ledger: ledgerLayout(tableNames(definition).ledger),
      ...{ jobs: [...jobsOf(definition.name), incrementalJob(definition.name)], seen: entries.length + slices.seen },
      person: person ?? { key: [], values: [] },
    });
    if (done) return last;
  }
  throw new ScoreBatchError('conflict', 'other processes keep writing to the ledger, so nothing was erased from the tables', {
    hint: 'run the same command again when they have finished',
  });
}

interface Searched {
  readonly columns: readonly TableColumn[] | undefined;
  readonly person: Person;
  readonly entries: readonly LedgerEntry[];
  readonly slices: KnownSlices;
}

/** Tables of the batch, if it has published, and of slices. */
function tablesToSearch(definition: JobDefinition, { columns, person, entries, slices }: Searched): PersonTables {
  const ofBatch = columns && tablesOfPerson(definition, columns, entries);
  const ofSlices = tablesOfSlices(definition.name, slices, person.key);
  return { summary: ofBatch?.summary, kept: ofBatch?.kept ?? [], tables: [...(ofBatch?.tables ?? []), ...ofSlices] };
}

/** Warnings, because slices read the source again and again on their own. */
function broughtBack(found: readonly FoundRows[]): string[] {
  const current = found.filter(({ part, job }) => part === 'current' && isSliceJob(job));
  return current.map(
    (table) =>
      `if the source still has the person, a later slice brings the person back to ${shownName(table)}, at the latest the next slice that reads all users`,
  );
}

/** Jobs whose ledger entries are all read. Slices have too many. */
function jobsOf(job: string): string[] {
  return [job, challengerJob(job)];
}

/** All entries of the job and of its challenger's runs, each in the order in which they were written. */
async function entriesOf(ledger: Warehouses['ledger'], job: string): Promise<LedgerEntry[]> {
  const found: LedgerEntry[] = [];
  for (const one of jobsOf(job)) found.push(...(await ledger.entries({ job: one })));
  return found;
}

/** The name as in the job file. */
function shownName(found: FoundRows): string {
  return showTableName(layoutInPlace(found).name);
}

/** An erasure has no window, so its entry has the instant at which it happened. */
function erasedEntry(runId: string, job: string, erasure: NonNullable<LedgerEntry['details']['erasure']>): LedgerEntry {
  const recordedAt = new Date().toISOString();
  return {
    ...{ recordedAt, runId, job, state: 'erased', fingerprint: 'none', host: hostname() },
    window: { label: 'erasure', start: recordedAt, end: recordedAt, kind: 'ad hoc' },
    model: { name: 'none', version: 'none', digest: 'none' },
    details: { erasure },
  };
}

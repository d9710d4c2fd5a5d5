import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { awaitingFiles } from '../domain/erasure.ts';
import { type LedgerEntry, type Run, runsOf } from '../domain/ledger.ts';
import { currentEntries, isSameWindow } from '../domain/publications.ts';
import { isStoreAddress, parseStoreAddress } from '../domain/store-address.ts';
import { isSameTable } from '../domain/table-name.ts';
import { isRanked } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { tableNames, type Warehouses } from '../plan/warehouses.ts';
import { reportFiles } from '../report/place.ts';
import { remakeReport } from '../run/remake-report.ts';
import type { ObjectStore } from '../store/object-store.ts';

export interface Remade {
  /** Paths of rewritten files. */
  readonly files: readonly string[];
  /** Files that were not rewritten. */
  readonly warnings: readonly string[];
}

/**
 * Rewrites the report files of all windows that lost rows since they were written, by this erasure or by one that was killed.
 *
 * @param entries all of the job
 */
export async function remakeFiles(
  job: Job,
  warehouses: Warehouses,
  entries: readonly LedgerEntry[],
  signal: AbortSignal,
): Promise<Remade> {
  const waiting = awaitingFiles(entries);
  const runs = new Map(runsOf(entries).map((run) => [run.runId, run]));
  const { scores } = tableNames(job.definition);
  const files: string[] = [];
  const warnings: string[] = [];
  for (const { runId } of currentEntries(entries)) {
    const run = runs.get(runId);
    const { columns, table } = run?.details ?? {};
    if (!waiting.has(runId) || run?.rows === undefined || columns === undefined || !isSameTable(table, scores)) continue;
    if (!isRanked({ columns })) continue;
    try {
      const written = { ...run, rows: run.rows, details: { ...run.details, columns } };
      const { sink, ledger, stores, files: ofWarehouses } = warehouses;
      const places = { sink, ledger, stores, files: ofWarehouses };
      const options = { job, window: run.window, run: written, ...places, signal, force: false };
      const ofWindow = entries.filter(({ window }) => isSameWindow(window, run.window));
      files.push(...(await remakeReport({ ...options, entries: ofWindow })));
    } catch (error) {
      // A file that somebody else has put there is not the job's.
      if (!(error instanceof ScoreBatchError) || error.kind !== 'configuration') throw error;
      warnings.push(`the files of ${run.window.label} were not rewritten: ${error.message}`);
    }
  }
  return { files, warnings };
}

/**
 * Files that may still contain a person and cannot be reached: at other paths, on other machines, and earlier versions of
 * objects.
 *
 * @param entries all of the job
 * @param affected ids of the runs that lost rows
 */
export async function filesElsewhere(
  job: Job,
  entries: readonly LedgerEntry[],
  affected: ReadonlySet<string>,
  stores: Pick<ObjectStore, 'look'>,
): Promise<string[]> {
  const found: string[] = [];
  const buckets = new Set<string>();
  for (const run of runsOf(entries).filter(({ runId }) => affected.has(runId))) {
    const ofRun = entries.filter(({ runId }) => runId === run.runId);
    found.push(...(await filesOfRun(run, ofRun, job, stores)));
    for (const { file } of recordedFiles(ofRun, job.root)) {
      const { scheme, bucket } = parseStoreAddress(file) ?? {};
      if (scheme !== undefined) buckets.add(`${scheme}://${bucket}`);
    }
  }
  return [
    ...found,
    ...[...buckets].map(
      (bucket) =>
        `earlier versions of the report in ${bucket} may hold the person, if the bucket keeps what is replaced or deleted`,
    ),
  ];
}

/** @param entries of the run; each has the host of the process that recorded its files */
async function filesOfRun(
  { runId, window }: Run,
  entries: readonly LedgerEntry[],
  { definition, root }: Pick<Job, 'definition' | 'root'>,
  stores: Pick<ObjectStore, 'look'>,
): Promise<string[]> {
  const here = new Set(reportFiles(definition.report, window, root).map((file) => file.path));
  const recorded = recordedFiles(entries, root);
  const others: string[] = [];
  for (const file of new Set(recorded.map((one) => one.file)))
    if (!here.has(file) && (await mayExist(file, stores))) others.push(file);
  // Every machine sees the same objects.
  const local = recorded.filter(({ file }) => !isStoreAddress(file));
  const hosts = [...new Set(local.map(({ host }) => host))].filter((host) => host !== hostname());
  return [
    ...others.map(
      (file) => `${file} may hold the person: run ${runId} wrote it, but the job file now gives ${window.label} another path`,
    ),
    ...hosts.map((host) => `run ${runId} of ${window.label} wrote its files on ${host}, and they may still hold the person`),
  ];
}

/** The report files recorded by a run, each with the host that recorded it. */
function recordedFiles(entries: readonly LedgerEntry[], root: string) {
  return entries.flatMap(({ host, details }) =>
    [details.report ?? [], details.files ?? []]
      .flat()
      .map((file) => ({ host, file: isStoreAddress(file) ? file : path.resolve(root, file) })),
  );
}

/** An object that may not be looked up counts as existing. */
async function mayExist(file: string, stores: Pick<ObjectStore, 'look'>): Promise<boolean> {
  const address = parseStoreAddress(file);
  if (address === undefined) return existsSync(file);
  try {
    return (await stores.look(address)) !== undefined;
  } catch (error) {
    if (!(error instanceof ScoreBatchError)) throw error;
    return true;
  }
}

import { createHash } from 'node:crypto';
import type { FrozenTable } from '../../src/domain/frozen-table.ts';
import type { LedgerEntry } from '../../src/domain/ledger.ts';
import type { Mark } from '../../src/warehouse/mark.ts';
import type { MemoryProcess } from './memory-process.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A row of the window in the source. A value below zero is one that the model cannot score. */
export interface SourceRow {
  readonly key: string;
  readonly value: number;
}

/** A row as scored by a chunk worker. */
export interface ScoredRow extends SourceRow {
  readonly chunk: number;
  readonly attempt: string;
  readonly model: string;
}

export interface PublishedRow extends SourceRow {
  readonly model: string;
  readonly runId: string;
}

/**
 * How a warehouse serialises publishers: `optimistic` is BigQuery, whose transactions fail if the publish lock changed since
 * they read it; `locked` is Snowflake and DuckDB, where one publisher holds the lock while it decides.
 */
export type Locking = 'optimistic' | 'locked';

/**
 * The state that outlives processes: a warehouse in memory (both source and sink) and the folder of the report. Effects of
 * statements are atomic and serial, as in warehouses.
 */
export interface World {
  readonly clock: VirtualClock;
  readonly locking: Locking;
  source: readonly SourceRow[];
  readonly scratch: {
    readonly frozen: Map<string, { readonly mark: Mark; readonly rows: readonly SourceRow[] }>;
    readonly manifests: Map<string, { readonly mark: Mark; readonly table: FrozenTable }>;
    readonly staged: Map<string, { readonly mark: Mark; readonly rows: ScoredRow[] }>;
    readonly ranked: Map<string, { readonly mark: Mark; readonly rows: readonly ScoredRow[] }>;
  };
  readonly ledger: LedgerEntry[];
  scores: readonly PublishedRow[];
  quarantine: readonly PublishedRow[];
  /** Report files by path. */
  readonly files: Map<string, string>;
  /** Publication number of each report file. */
  readonly reported: Map<string, number>;
  /** Publication numbers of the pending report files, by name. */
  readonly pending: Map<string, number>;
  readonly publishLock: { taken: number; holder: MemoryProcess | undefined; readonly waiting: (() => void)[] };
  /** Executed publishing scripts by id, with the process that sent them. */
  readonly scripts: Map<string, string>;
  /** Number of statements that arrived, by kind. */
  readonly statements: Map<string, number>;
  /** Milliseconds added to the clock that deadlines are compared with. */
  later: number;
  /** Called after every ledger entry. */
  onEntry: (entry: LedgerEntry) => void;
  /** Called after every report file, with the publication numbers of the new file and the one that it replaces. */
  onReport: (number: number, replaced: number) => void;
}

export function newWorld(clock: VirtualClock, locking: Locking, source: readonly SourceRow[]): World {
  return {
    clock,
    locking,
    source,
    scratch: { frozen: new Map(), manifests: new Map(), staged: new Map(), ranked: new Map() },
    ledger: [],
    scores: [],
    quarantine: [],
    files: new Map(),
    reported: new Map(),
    pending: new Map(),
    publishLock: { taken: 0, holder: undefined, waiting: [] },
    scripts: new Map(),
    statements: new Map(),
    later: 0,
    onEntry: () => undefined,
    onReport: () => undefined,
  };
}

/** The first 60 bits of the key's MD5, as in every warehouse. */
export function keyHash(key: string): bigint {
  return BigInt(`0x${createHash('md5').update(key).digest('hex').slice(0, 15)}`);
}

/** Writes to the ledger and changes the publish lock. */
export function record(world: World, entry: LedgerEntry): void {
  world.publishLock.taken += 1;
  world.ledger.push(entry);
  world.onEntry(entry);
}

/** Puts a report in place. @returns false if the pending file is gone */
export function rename(world: World, pending: string, file: string, text: string): boolean {
  const number = world.pending.get(pending);
  if (number === undefined) return false;
  const replaced = world.reported.get(file) ?? 0;
  world.pending.delete(pending);
  world.files.set(file, text);
  world.reported.set(file, number);
  world.onReport(number, replaced);
  return true;
}

/** Ids of the runs that have artifacts in scratch. */
export function runsInScratch({ scratch }: World): string[] {
  const marks = Object.values(scratch).flatMap((tables) => [...tables.values()].map(({ mark }) => mark.run));
  return [...new Set(marks)];
}

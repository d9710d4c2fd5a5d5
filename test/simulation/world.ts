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

/** A row as a chunk worker leaves it. */
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
 * How a warehouse keeps publishers apart: `optimistic` is BigQuery, whose transactions fail where the gate moved since it was
 * read; `locked` is Snowflake and DuckDB, which let one hold the gate while it decides.
 */
export type Gating = 'optimistic' | 'locked';

/**
 * What outlives every process: a warehouse in memory (source and sink are one) and the folder of the report. Effects of
 * statements are applied to it whole and one after the other, as warehouses do.
 */
export interface World {
  readonly clock: VirtualClock;
  readonly gating: Gating;
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
  /** Number of the publication that each of them is of. */
  readonly reported: Map<string, number>;
  /** Report files that are being written, by their names: numbers of their publications. */
  readonly pending: Map<string, number>;
  readonly gate: { taken: number; holder: MemoryProcess | undefined; readonly waiting: (() => void)[] };
  /** Publishing scripts that were done, by their ids, with the process that sent them. */
  readonly scripts: Map<string, string>;
  /** Statements that arrived, by what they do. */
  readonly statements: Map<string, number>;
  /** Added to the clock with which deadlines are compared. */
  later: number;
  /** Told of every entry, once it is there. */
  onEntry: (entry: LedgerEntry) => void;
  /** Told of every report file, once it is there; by their publications' numbers, of what it is and what it replaces. */
  onReport: (number: number, replaced: number) => void;
}

export function newWorld(clock: VirtualClock, gating: Gating, source: readonly SourceRow[]): World {
  return {
    clock,
    gating,
    source,
    scratch: { frozen: new Map(), manifests: new Map(), staged: new Map(), ranked: new Map() },
    ledger: [],
    scores: [],
    quarantine: [],
    files: new Map(),
    reported: new Map(),
    pending: new Map(),
    gate: { taken: 0, holder: undefined, waiting: [] },
    scripts: new Map(),
    statements: new Map(),
    later: 0,
    onEntry: () => undefined,
    onReport: () => undefined,
  };
}

/** The first 60 bits of the key's MD5, as every warehouse computes them. */
export function keyHash(key: string): bigint {
  return BigInt(`0x${createHash('md5').update(key).digest('hex').slice(0, 15)}`);
}

/** Writes to the ledger, through the gate. */
export function record(world: World, entry: LedgerEntry): void {
  world.gate.taken += 1;
  world.ledger.push(entry);
  world.onEntry(entry);
}

/** Puts a report in its place. @returns false where it is gone */
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

/** Ids of the runs that have something in scratch. */
export function runsInScratch({ scratch }: World): string[] {
  const marks = Object.values(scratch).flatMap((tables) => [...tables.values()].map(({ mark }) => mark.run));
  return [...new Set(marks)];
}

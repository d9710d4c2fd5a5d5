import { currentPublication } from '../../src/domain/ledger.ts';
import { type AttemptTally, pinAttempts } from '../../src/domain/reconciliation.ts';
import { newMark } from '../../src/warehouse/mark.ts';
import type { PublicationSpec } from '../../src/warehouse/publication-spec.ts';
import { superseded } from '../../src/warehouse/superseded.ts';
import type { Sink } from '../../src/warehouse/warehouse.ts';
import type { MemoryProcess } from './memory-process.ts';
import { checksumOfKeys, notAsked, scratchOf } from './memory-source.ts';
import { type PublishedRow, record, type ScoredRow, type World } from './world.ts';

/** Scored files that are not staged yet, by name. All processes share them, since they are not part of the protocol. */
const FILES = new Map<string, readonly ScoredRow[]>();

/** @returns the file's name */
export function writeScoredRows(attempt: string, rows: readonly ScoredRow[]): string {
  FILES.set(attempt, rows);
  return attempt;
}

export function memorySink(world: World, process: MemoryProcess): Sink {
  const { staged, ranked } = world.scratch;
  return {
    erase: notAsked,
    differences: notAsked,
    read: notAsked,
    topRows: notAsked,
    readStaged: notAsked,
    amend: notAsked,
    dropReplaced: notAsked,
    dropBoundaries: notAsked,
    view: notAsked,
    probe: notAsked,
    stagesText: true,
    workFolder: async () => '/nowhere',
    staged: (runId) =>
      process.ask('count staged rows', () =>
        countAttempts(staged.get(runId)?.rows ?? []).map(({ chunk, attempt, rows }) => ({ chunk, attempt, rows })),
      ),
    async stage(runId, { attempt, file }) {
      await process.ask('load', () => {
        const table = staged.get(runId) ?? { mark: newMark('job', runId), rows: [] };
        staged.set(runId, table);
        // The load job has the attempt's id, so a repeated load has no effect.
        if (!table.rows.some((row) => row.attempt === attempt)) table.rows.push(...(FILES.get(file) ?? []));
        FILES.delete(file);
      });
    },
    tally: ({ runId, frozen }) =>
      process.ask('tally', () => {
        const rows = staged.get(runId)?.rows ?? [];
        const pinning = pinAttempts(frozen, countAttempts(rows));
        const rejected = rowsOf(rows, pinning.pinned).filter(isRejected).length;
        const rejections = rejected === 0 ? [] : [{ reason: 'value below zero', columnName: 'value', rows: rejected }];
        return { ...pinning, rejections, scoreCounts: undefined };
      }),
    publish: (spec) =>
      world.locking === 'locked' ? publishLocked(world, process, spec) : publishOptimistic(world, process, spec),
    async *published({ runId, lines, rows }) {
      const found = await process.ask('read published rows', () => world.scores.filter((row) => row.runId === runId));
      yield { complete: found.length === rows, lines: lines.map(() => Buffer.from(linesOf(found))) };
    },
    otherJobs: notAsked,
    scoreCounts: notAsked,
    held: (_tables, _job, [window]) =>
      process.ask('count published rows', () =>
        (['scores', 'quarantine'] as const).flatMap((table) =>
          [...new Set(world[table].map(({ runId }) => runId))].flatMap((runId) => {
            const rows = world[table].filter((row) => row.runId === runId).length;
            return window === undefined ? [] : [{ table, runId, window, rows }];
          }),
        ),
      ),
    stagingLocation: (runId) => `staged ${runId}`,
    showRejected: (runId) => `the rejected rows of ${runId}`,
    showStaged: notAsked,
    async discard(runId) {
      await process.ask('drop staging', () => staged.delete(runId));
    },
    ...scratchOf(world, process, [staged, ranked]),
  };
}

/** The lines of the report file for published rows, without the header. */
export function linesOf(rows: readonly PublishedRow[]): string {
  return rows.map(({ key, value, model }) => `${key},${value},${model}\n`).join('');
}

/** One transaction that holds the publish lock from its start. */
function publishLocked(world: World, process: MemoryProcess, spec: PublicationSpec): Promise<boolean> {
  return process.withLock(async () => {
    const entries = await process.ask('read the ledger', () => [...world.ledger]);
    const current = currentPublication(entries);
    if (current?.runId === spec.entry.runId) return false;
    if (current?.number !== spec.supersedes?.number) throw superseded(spec.entry.window.label, current?.runId);
    await process.ask('commit', () => replaceWindow(world, spec, (current?.number ?? 0) + 1, pinnedOf(world, spec)));
    return true;
  });
}

/** Checks, ranks, and sends one script with an id of its own, which checks the publish lock again. */
async function publishOptimistic(world: World, process: MemoryProcess, spec: PublicationSpec): Promise<boolean> {
  const { ranked } = world.scratch;
  const { runId } = spec.entry;
  const current = await process.ask('read the ledger', () => currentPublication(world.ledger));
  if (current?.runId === runId) return false;
  if (current?.number !== spec.supersedes?.number) throw superseded(spec.entry.window.label, current?.runId);
  const name = [runId, ...spec.pinned.map(({ attempt }) => attempt)].join(' ');
  await process.ask('rank', () => ranked.set(name, { mark: newMark('job', runId), rows: pinnedOf(world, spec) }));
  const number = (current?.number ?? 0) + 1;
  const id = `${runId} ${number}`;
  const owner = await process.ask('publish', () => {
    const done = world.scripts.get(id);
    if (done !== undefined) return done;
    const now = currentPublication(world.ledger);
    if (now?.runId === runId) return undefined;
    if (now?.number !== spec.supersedes?.number) throw superseded(spec.entry.window.label, now?.runId);
    const table = ranked.get(name);
    if (table === undefined) throw new Error(`the table ${name} is gone`);
    replaceWindow(world, spec, number, table.rows);
    world.scripts.set(id, process.name);
    return process.name;
  });
  await process.ask('drop the ranked table', () => ranked.delete(name)).catch(() => undefined);
  return owner === process.name;
}

function replaceWindow(world: World, spec: PublicationSpec, publication: number, rows: readonly ScoredRow[]): void {
  const { runId } = spec.entry;
  const published = rows
    .map(({ key, value, model }) => ({ key, value, model, runId }))
    .sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1));
  world.scores = published.filter((row) => !isRejected(row));
  world.quarantine = published.filter(isRejected);
  record(world, { ...spec.entry, publication });
}

function pinnedOf(world: World, { entry, pinned }: PublicationSpec): readonly ScoredRow[] {
  return rowsOf(world.scratch.staged.get(entry.runId)?.rows ?? [], pinned);
}

function rowsOf(rows: readonly ScoredRow[], pinned: readonly { readonly attempt: string }[]): readonly ScoredRow[] {
  const attempts = new Set(pinned.map(({ attempt }) => attempt));
  return rows.filter(({ attempt }) => attempts.has(attempt));
}

/** The staged rows of each attempt. */
export function countAttempts(rows: readonly ScoredRow[]): AttemptTally[] {
  const attempts = new Map<string, ScoredRow[]>();
  for (const row of rows) attempts.set(row.attempt, [...(attempts.get(row.attempt) ?? []), row]);
  return [...attempts].map(([attempt, own]) => ({
    chunk: own[0]?.chunk ?? -1,
    attempt,
    rows: own.length,
    scored: own.filter((row) => !isRejected(row)).length,
    checksum: checksumOfKeys(own),
    provider: 'cpu',
    facts: undefined,
    content: '',
  }));
}

function isRejected({ value }: { readonly value: number }): boolean {
  return value < 0;
}

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { findSide, rowsOfSide } from '../compare/side.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import { isWithin, type ShadowComparison } from '../domain/shadow.ts';
import { ledgerLayout } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { Ledger, Sink } from '../warehouse/warehouse.ts';
import { type BatchWindow, batchWindows, knownSince } from './batch-windows.ts';
import { boundariesOf, dropCompared } from './boundaries.ts';
import { countShadow, lookStatements, type ShadowSides } from './counts.ts';
import { type ShadowSpec, shadowSpec } from './spec.ts';

export interface ShadowWarehouses {
  readonly sink: Sink;
  readonly ledger: Ledger;
}

/** A comparison made by this call. */
interface MadeComparison {
  readonly comparison: ShadowComparison;
  /** Set if it is not within limits: statements that show the users. */
  readonly look: readonly string[];
}

export interface ComparedShadow {
  /** Oldest window first. */
  readonly made: readonly MadeComparison[];
  /** Ends of windows, ISO strings, that the batch has not published yet. */
  readonly waiting: readonly string[];
}

/**
 * Compares the rows that the current table had at the end of each batch window with what the batch has published for it by now.
 * Each comparison becomes a ledger entry; then the rows are dropped, except those of the newest comparison if it is not within
 * limits. If killed in between, the next call only drops the rows.
 *
 * @throws ScoreBatchError `refused` if the batch's rows are not those that it published, or the rows of a boundary are not
 * unique
 */
export async function compareShadow(job: Pick<Job, 'definition'>, { sink, ledger }: ShadowWarehouses): Promise<ComparedShadow> {
  const spec = shadowSpec(job.definition);
  const boundaries = spec === undefined ? [] : await boundariesOf(sink, spec);
  if (spec === undefined || boundaries.length === 0) return { made: [], waiting: [] };
  const windows = batchWindows(await ledger.entries({ job: spec.job }), job.definition);
  const compared = [...(await ledger.entries({ job: spec.slices, states: ['compared'] }))];
  const made: MadeComparison[] = [];
  const waiting: string[] = [];
  for (const end of boundaries) {
    const batch = windows.find(({ window, published }) => window.end === end && published !== undefined);
    if (batch?.published === undefined) waiting.push(end);
    else if (!compared.some((entry) => isOf(entry, batch))) {
      const one = await compareOne(batch, { job, spec, sink, ledger, windows });
      const entry = entryOf(spec, batch.published, one.comparison);
      if (await record(ledger, entry, batch)) made.push(one);
      compared.push(entry);
    }
  }
  await dropCompared(sink, spec, { boundaries, compared, windows });
  return { made, waiting };
}

interface OneOptions extends ShadowWarehouses {
  readonly job: Pick<Job, 'definition'>;
  readonly spec: ShadowSpec;
  readonly windows: readonly BatchWindow[];
}

async function compareOne(batch: BatchWindow, { job, spec, sink, ledger, windows }: OneOptions): Promise<MadeComparison> {
  const { definition } = job;
  const { published, window } = batch;
  if (published === undefined) throw new Error(`${window.label} is not published`);
  const side = await findSide(published.runId, { definition, ledger, scores: spec.scores });
  const max_delta = spec.shadow.max_delta;
  return await sink.read(async (reader) => {
    const find = (name: readonly string[]) => reader.find({ name, columns: side.rows.table.columns });
    const [boundary, scores] = [await find(spec.boundary), await find(side.rows.table.name)];
    const ledgerFound = await reader.find(ledgerLayout(spec.ledger));
    if (boundary === undefined || scores === undefined || ledgerFound === undefined) throw gone(window.label);
    const quarantine = await reader.find({ name: spec.quarantine, columns: QUARANTINE });
    const sides: ShadowSides = {
      ...{ job: spec.job, slices: spec.slices, window, digest: published.model.digest },
      ...{ batch: await rowsOfSide(reader, side), score: side.rows.score },
      ...{ scores, quarantine, ledger: ledgerFound, boundary },
      ...{ known: knownSince(windows, window, definition), maxDelta: max_delta },
    };
    const counts = await countShadow(reader, sides);
    if (counts.keys !== side.users) throw notUnique(spec, window.label);
    const { label, start, end } = window;
    const facts = {
      ...{ window: { label, start, end }, run_id: published.runId, publication: published.publication },
      ...{ ...counts, max_delta },
    };
    const within = isWithin(facts, spec.shadow.max_extra);
    return { comparison: { ...facts, within }, look: within ? [] : lookStatements(reader.dialect, sides, counts) };
  });
}

/** Enough of the table's columns to show that its rows name their job. */
const QUARANTINE = [{ name: 'job', type: 'string' }] as const;

function isOf({ details: { shadow } }: LedgerEntry, { window, published }: BatchWindow): boolean {
  return (
    shadow?.window.start === window.start && shadow.window.end === window.end && shadow.publication === published?.publication
  );
}

/** @returns false if another process has recorded the same comparison meanwhile */
async function record(ledger: Ledger, entry: LedgerEntry, batch: BatchWindow): Promise<boolean> {
  return await ledger.decide({ job: entry.job, window: batch.window }, async (entries) =>
    entries.some((other) => isOf(other, batch)) ? { result: false } : { append: entry, result: true },
  );
}

function entryOf(spec: ShadowSpec, { window, model, fingerprint }: LedgerEntry, shadow: ShadowComparison): LedgerEntry {
  return {
    ...{ recordedAt: new Date().toISOString(), host: hostname(), runId: `compare-${randomBytes(6).toString('hex')}` },
    ...{ job: spec.slices, window, state: 'compared', fingerprint, model, details: { shadow } },
  };
}

function gone(label: string): ScoreBatchError {
  return new ScoreBatchError('refused', `a table with the rows of ${label} was dropped while they were being compared`, {
    hint: 'run the window again, then a slice',
  });
}

function notUnique({ boundary }: ShadowSpec, label: string): ScoreBatchError {
  return new ScoreBatchError('refused', `${boundary.join('.')} has more than one row of a user at the end of ${label}`, {
    hint: 'someone changed the table; delete its rows for this boundary, so that the next window can be compared',
  });
}

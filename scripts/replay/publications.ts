import type { SliceDetails, SliceOutcome } from '../../src/domain/slice.ts';
import { JOB } from './project.ts';
import type { RunSql } from './shop.ts';

// What the ledger says about slices.

/** A published slice. */
export interface Publication {
  /** The position. */
  readonly number: number;
  readonly runId: string;
  readonly digest: string;
  readonly slice: SliceDetails;
  readonly outcome: SliceOutcome;
  /** Seconds of all stages up to the publication. */
  readonly seconds: number;
}

interface Details {
  readonly slice?: SliceDetails;
  readonly slice_outcome?: SliceOutcome;
  readonly seconds?: Readonly<Record<string, number>>;
}

/** Slices after a position, oldest first, and the one that has recorded its spans but is not published. */
export interface NewSlices {
  readonly published: readonly Publication[];
  readonly unfinished: { readonly runId: string; readonly slice: SliceDetails } | undefined;
}

export async function readSlices(run: RunSql, after: number): Promise<NewSlices> {
  const rows = await run(`select run_id, state, publication, model_digest, details from marketing.score_batch_ledger
    where job = '${JOB}.incremental' and (publication > ${after} or state in ('started', 'failed', 'published'))
      and entry_number > ${await lastEntry(run, after)} order by entry_number`);
  const published: Publication[] = [];
  const started = new Map<string, SliceDetails>();
  for (const row of rows) {
    const details = JSON.parse(String(row.details)) as Details;
    const runId = String(row.run_id);
    if (row.state === 'started' && details.slice) started.set(runId, details.slice);
    const number = Number(row.publication);
    if (row.state !== 'published' || number <= after) continue;
    const slice = details.slice ?? started.get(runId);
    if (slice === undefined || details.slice_outcome === undefined)
      throw new Error(`publication ${number} says nothing of its slice`);
    started.delete(runId);
    const seconds = Object.values(details.seconds ?? {}).reduce((sum, stage) => sum + stage, 0);
    published.push({ number, runId, digest: String(row.model_digest), slice, outcome: details.slice_outcome, seconds });
  }
  const [open] = [...started].slice(-1);
  return { published, unfinished: open && { runId: open[0], slice: open[1] } };
}

/** Id of the publication's entry, to avoid reading the whole ledger each time. */
async function lastEntry(run: RunSql, publication: number): Promise<number> {
  if (publication === 0) return 0;
  const [row] = await run(`select max(entry_number) as entry from marketing.score_batch_ledger
    where job = '${JOB}.incremental' and state = 'published' and publication = ${publication}`);
  return Number(row?.entry);
}

/** An instant of a slice, in microseconds since 1970. */
export function microseconds(instant: string): number {
  const [, whole = '', fraction = ''] = /^(.{19})(?:\.(\d+))?Z$/.exec(instant) ?? [];
  const seconds = Date.parse(`${whole}Z`);
  if (Number.isNaN(seconds)) throw new Error(`${instant} is not an instant in UTC`);
  return seconds * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

import type { KeptRows } from '../domain/kept-rows.ts';
import type { ScratchArtifact } from '../domain/scratch-artifact.ts';

/** Metadata on a run's folder, table or stage in scratch. Anything without it is not ours and is left alone. */
export interface Mark {
  readonly createdBy: 'score-batch';
  readonly job: string;
  readonly run: string;
  /** ISO instant after which it can be dropped, whatever happened to its run. */
  readonly deadline: string;
  /** Set if it holds rows that outlive their run. */
  readonly kept?: KeptRows;
}

const DAY_MS = 86_400_000;
/** Seven days to resume a run or to look at a refused one, plus a day for its work. */
const LIFETIME_DAYS = 8;

export function newMark(job: string, run: string, kept?: KeptRows): Mark {
  const days = Math.max(LIFETIME_DAYS, kept?.days ?? 0);
  const deadline = new Date(Date.now() + days * DAY_MS).toISOString();
  return { createdBy: 'score-batch', job, run, deadline, ...(kept && { kept }) };
}

/** @param text JSON of a mark, or anything else */
export function readMark(text: string | null | undefined): Mark | undefined {
  try {
    const mark = JSON.parse(text ?? '') as Mark | null;
    return mark?.createdBy === 'score-batch' ? mark : undefined;
  } catch {
    return undefined;
  }
}

/** The artifact that carries the mark; empty if the mark belongs to another job. @param name where it is stored */
export function artifactsOf(job: string, name: string, mark: Mark | undefined): ScratchArtifact[] {
  if (mark?.job !== job) return [];
  const { run, deadline, kept } = mark;
  return [{ name, run, deadline, ...(kept && { kept }) }];
}

import type { ScratchArtifact } from '../domain/scratch-artifact.ts';

/** Metadata on a run's folder, table or stage in scratch. Anything without it is not ours and is left alone. */
export interface Mark {
  readonly createdBy: 'score-batch';
  readonly job: string;
  readonly run: string;
  /** ISO instant after which it can be dropped, whatever happened to its run. */
  readonly deadline: string;
}

/** Seven days to resume a run or to look at a refused one, and a day in which it works. */
const LIFETIME_MS = 8 * 86_400_000;

export function newMark(job: string, run: string): Mark {
  return { createdBy: 'score-batch', job, run, deadline: new Date(Date.now() + LIFETIME_MS).toISOString() };
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
  return mark?.job === job ? [{ name, run: mark.run, deadline: mark.deadline }] : [];
}

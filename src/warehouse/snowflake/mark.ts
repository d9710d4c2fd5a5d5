import { literal } from './dialect.ts';
import type { Snowflake } from './snowflake.ts';

/** What a table or stage in scratch says of itself in its comment; one without it is not ours and is left alone. */
export interface Mark {
  readonly createdBy: 'score-batch';
  readonly job: string;
  readonly run: string;
  /** ISO instant after which it may go, whatever became of its run. */
  readonly deadline: string;
}

const LIFETIME_MS = 7 * 86_400_000;

/** `COMMENT = '…'` for what is made for a run. */
export function comment({ job }: Pick<Snowflake, 'job'>, run: string): string {
  const mark: Mark = { createdBy: 'score-batch', job, run, deadline: new Date(Date.now() + LIFETIME_MS).toISOString() };
  return `COMMENT = ${literal(JSON.stringify(mark))}`;
}

export function readMark(text: string | null | undefined): Mark | undefined {
  try {
    const mark = JSON.parse(text ?? '') as Mark | null;
    return mark?.createdBy === 'score-batch' ? mark : undefined;
  } catch {
    return undefined;
  }
}

import type { KeptRows } from '../../domain/kept-rows.ts';
import { newMark } from '../mark.ts';
import { literal } from './dialect.ts';
import type { Snowflake } from './snowflake.ts';

/** `COMMENT = '…'` with our mark, for objects created for a run. */
export function comment({ job }: Pick<Snowflake, 'job'>, run: string, kept?: KeptRows): string {
  return `COMMENT = ${literal(JSON.stringify(newMark(job, run, kept)))}`;
}

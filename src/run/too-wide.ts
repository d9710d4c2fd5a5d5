import { showBytes } from '../domain/cost.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { isOutOfMemory, nextBound } from '../sizing/memory-plan.ts';
import { canMeasure } from '../warehouse/warehouse.ts';

/**
 * What to tell of a run that failed because DuckDB had too little memory: which column has the largest values, and a bound to try.
 * Values are looked for only now, so that a run that works pays nothing for it.
 *
 * @returns the error as it is where that is not why it failed
 */
export async function explainMemory(error: unknown, plan: Plan, runId: string): Promise<unknown> {
  if (!(error instanceof ScoreBatchError) || !isOutOfMemory(error)) return error;
  const { source } = plan.source;
  const texts = plan.needed.filter(({ type }) => type === 'string');
  // Where that fails too, the first error counts.
  const found = canMeasure(source) && texts.length > 0 ? await source.largest(plan.query, texts, runId).catch(() => []) : [];
  const [largest] = [...found].sort((a, b) => b.bytes - a.bytes);
  const bound = nextBound(plan.sizing.bound, largest?.bytes ?? 0);
  const shorter = largest === undefined ? '' : `, or shorten ${largest.column} in the query and add --fresh`;
  return new ScoreBatchError(error.kind, error.message, {
    details: [
      ...error.details.slice(0, 1),
      ...(largest === undefined ? [] : [`the largest text is in the column ${largest.column}: ${showBytes(largest.bytes)}`]),
    ],
    hint: `start the same command again with --max-memory ${bound}, it goes on from what is staged${shorter}`,
    cause: error.cause,
  });
}

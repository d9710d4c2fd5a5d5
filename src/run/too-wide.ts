import { showBytes } from '../domain/cost.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import { isOutOfMemory, nextBound } from '../sizing/memory-plan.ts';
import { canMeasure } from '../warehouse/source-capabilities.ts';

/**
 * Explains a run that failed because DuckDB ran out of memory: adds the column with the largest values and a limit to try.
 * Values are measured only now, so that successful runs pay nothing for it.
 *
 * @returns the error itself if memory was not the cause
 */
export async function explainMemory(error: unknown, plan: Plan, runId: string): Promise<unknown> {
  if (!(error instanceof ScoreBatchError) || !isOutOfMemory(error)) return error;
  const { source } = plan;
  const texts = plan.needed.filter(({ type }) => type === 'string');
  // If that also fails, report the first error.
  const measurable = canMeasure(source) && texts.length > 0 && plan.asOf === undefined;
  const found = measurable ? await source.largest(plan.query, texts, runId).catch(() => []) : [];
  const [largest] = [...found].sort((a, b) => b.bytes - a.bytes);
  const bound = nextBound(plan.sizing.bound, largest?.bytes ?? 0);
  const shorter = largest === undefined ? '' : `, or shorten ${largest.column} in the query and add --fresh`;
  return new ScoreBatchError(error.kind, error.message, {
    details: [
      ...error.details.slice(0, 1),
      ...(largest === undefined ? [] : [`the largest text is in the column ${largest.column}: ${showBytes(largest.bytes)}`]),
    ],
    hint: `to resume from the staged chunks, run the same command with --max-memory ${bound}${shorter}`,
    cause: error.cause,
  });
}

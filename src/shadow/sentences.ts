import { counted, grouped } from '../domain/counted.ts';
import type { ShadowComparison } from '../domain/shadow.ts';
import type { EnsuredView } from './view.ts';

/** Why a comparison does not count, one phrase each; empty if it counts. */
export function problemsOf(comparison: ShadowComparison): string[] {
  const { keys, missing, extra, differing, max_delta, largest_delta, compared, within } = comparison;
  const { quarantined_in_batch: inBatch, quarantined_in_current: inCurrent } = comparison;
  const problems = [
    missing > 0 && `the current table lacks ${counted(missing, 'user')} of ${grouped(keys)}`,
    extra !== null && extra > 0 && `no window of the batch has ${counted(extra, 'user')} of the current table`,
    differing > 0 &&
      `${counted(differing, 'score')} ${differing === 1 ? 'differs' : 'differ'} by more than ${max_delta}, at most by ${largest_delta}`,
    inBatch > 0 && `${counted(inBatch, 'user')} ${inBatch === 1 ? 'is' : 'are'} in quarantine in the batch only`,
    inCurrent > 0 && `${counted(inCurrent, 'user')} ${inCurrent === 1 ? 'is' : 'are'} in quarantine in the current table only`,
    within && compared === 0 && 'no scores on the two sides are of the same model, so the comparison proves nothing',
  ];
  return problems.flatMap((problem) => (problem === false ? [] : [problem]));
}

/** What a comparison found, in one line. */
export function describeComparison(comparison: ShadowComparison): string {
  const { window, publication, compared, largest_delta, other_model, extra, within } = comparison;
  const problems = problemsOf(comparison);
  const found = [
    `${counted(compared, 'score')} compared, largest difference ${largest_delta}`,
    ...(other_model > 0 ? [`${grouped(other_model)} of another model`] : []),
    ...(extra === null
      ? ['users that the batch lacks were not checked: not all windows since incremental.since are published']
      : []),
    ...problems,
  ];
  return `${window.label}, publication ${publication}: ${within ? 'within limits' : 'NOT within limits'}; ${found.join('; ')}`;
}

/** The outcome for the view, for people; undefined if there is nothing to say. */
export function describeView({ view, state, missing }: EnsuredView): string | undefined {
  if (state === 'unchanged') return undefined;
  return state === 'waiting'
    ? `the view ${view.join('.')} waits for ${missing.join(', ')}`
    : `${state === 'created' ? 'created' : 'replaced'} the view ${view.join('.')}`;
}

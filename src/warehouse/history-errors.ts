import { ScoreBatchError } from '../errors.ts';
import type { PublicationSpec } from './publication-spec.ts';

/** Somebody has changed the kept rows. Nothing is committed. */
export function incompleteHistory({ entry: { runId, window } }: PublicationSpec, detail: string): ScoreBatchError {
  return new ScoreBatchError('refused', `the kept rows of run ${runId} are not complete`, {
    details: [detail],
    hint: `nothing was changed; someone changed the _replaced tables, so ${window.label} cannot be rolled back to this run; run the window again`,
  });
}

/** Rows that were rolled back would be published again. Nothing is committed. */
export function rolledBackContent({ entry: { window }, rolledBack = [] }: PublicationSpec): ScoreBatchError {
  const numbers = rolledBack.map(({ publication }) => publication).join(' or ');
  return new ScoreBatchError(
    'refused',
    `${window.label} would get back scores that were rolled back: those of publication ${numbers}`,
    {
      hint: 'nothing was published; fix the source, the query or the model first (`score-batch plan` shows what has changed since the current publication), or add --force to publish these scores anyway',
    },
  );
}

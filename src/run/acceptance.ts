import { createHash } from 'node:crypto';
import type { AttemptTally } from '../domain/reconciliation.ts';
import { furtherRefusals, gatesOf, type Refusal } from '../domain/refusal.ts';
import type { Acceptance, RunDetails } from '../domain/run-details.ts';
import { ScoreBatchError } from '../errors.ts';

/** What the user states when accepting a refused run: the accepted gates are those that refused. */
export type AcceptedRun = Pick<Acceptance, 'reason' | 'user'>;

/** Digest of the attempts to publish, and of their contents. @returns SHA-256, hex */
export function stagedDigest(pinned: readonly Pick<AttemptTally, 'chunk' | 'attempt' | 'content'>[]): string {
  const hash = createHash('sha256');
  const lines = pinned.map(({ chunk, attempt, content }) => `${chunk} ${attempt} ${content}\n`);
  for (const line of lines.sort()) hash.update(line);
  return hash.digest('hex');
}

/**
 * The acceptance of a run, after checking that it publishes what was refused, and that nothing else is wrong by now: an earlier
 * window may have been published or evaluated since.
 *
 * @param details of the refused run
 * @throws ScoreBatchError `refused` if the staged rows have changed, or if another gate refuses now
 */
export function acceptanceOf(
  { reason, user }: AcceptedRun,
  { refused_by = [], refused_staged }: Pick<RunDetails, 'refused_by' | 'refused_staged'>,
  { refusals, staged }: { readonly refusals: readonly Refusal[]; readonly staged: string },
): Acceptance {
  if (staged !== refused_staged) {
    throw new ScoreBatchError('refused', 'the staged rows have changed since the run was refused', {
      hint: 'nothing was published; find the process that changed staging, then run the window again',
    });
  }
  const further = furtherRefusals(refusals, refused_by);
  if (further.length > 0) {
    throw new ScoreBatchError('refused', 'the run would now be refused for another reason', {
      details: further.map(({ gate, message }) => `${gate}: ${message}`),
      hint: 'run the window again: the new refusal names all gates',
    });
  }
  return { gates: gatesOf(refused_by), reason, user, at: new Date().toISOString() };
}

import { counted } from '../domain/counted.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { ComparedWindow } from './evidence.ts';

/** Reasons against a promotion, one sentence each, with windows and measures; empty if there are none. */
export function refusalsOf(windows: readonly ComparedWindow[], { definition }: Job): string[] {
  const count = definition.challenger?.promote_after ?? 0;
  const few =
    windows.length < count
      ? [`${counted(windows.length, 'window is', 'windows are')} published, but promote_after is ${count}`]
      : [];
  const none = isUnlimited(definition)
    ? ['the job file has no limits under compare, so no comparison can be within limits']
    : [];
  return [...none, ...few, ...windows.flatMap(({ label, problems }) => problems.map((problem) => `${label}: ${problem}`))];
}

/**
 * @throws ScoreBatchError `configuration` if the job has no limits, `refused` if there are not enough consecutive comparisons,
 * or one is beyond a limit
 */
export function refuseUnproven(refusals: readonly string[], { definition }: Job): void {
  if (refusals.length === 0) return;
  const { name, challenger } = definition;
  if (isUnlimited(definition)) {
    throw new ScoreBatchError(
      'configuration',
      `${name} has no limits under compare, so nothing says when its challenger is good enough`,
      {
        hint: 'set limits such as compare.min_rank_correlation and compare.max_psi; they are checked against the comparisons in the ledger',
      },
    );
  }
  const needed = counted(challenger?.promote_after ?? 0, 'comparison');
  throw new ScoreBatchError(
    'refused',
    `the challenger of ${name} is not promoted: that takes ${needed} in a row within the limits`,
    {
      details: refusals,
      hint: 'wait for more windows, or change the limits under compare; to promote it anyway, use --force --reason "…"',
    },
  );
}

function isUnlimited({ compare }: Job['definition']): boolean {
  return Object.values(compare).every((limit) => limit === undefined);
}

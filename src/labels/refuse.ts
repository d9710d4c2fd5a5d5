import { counted, grouped } from '../domain/counted.ts';
import type { Query } from '../domain/query.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Joined } from './join.ts';
import type { LabelCounts } from './select.ts';

/** @throws ScoreBatchError `configuration` if the labels cannot depend on the time after the window */
export function refuseTimeless({ name, parameters }: Query): void {
  if (parameters.some((parameter) => parameter.name.startsWith('label_'))) return;
  throw new ScoreBatchError(
    'configuration',
    `${name} uses neither :label_start nor :label_end, so its outcomes may include those from before the end of the window`,
    { hint: 'count only what happened from :label_start_date to before :label_end_date' },
  );
}

/** @throws ScoreBatchError `refused` if the labels contradict themselves, or are from another time */
export function refuseBadLabels(name: string, counts: LabelCounts): void {
  const { rows, repeated, most, invalid, early, late } = counts;
  if (rows === 0)
    throw refused(`${name} returned no labels`, 'check its conditions: outcomes run from :label_start to before :label_end');
  if (repeated > 0)
    throw refused(
      `${counted(repeated, 'key occurs', 'keys occur')} more than once among the ${counted(rows, 'label')}, one key ${grouped(most)} times`,
      'return one row per key, with GROUP BY or DISTINCT',
    );
  if (invalid > 0)
    throw refused(
      `${counted(invalid, 'label has an outcome that is', 'labels have an outcome that is')} neither 0 nor 1`,
      'compare with the threshold in the query, so that the outcome is true or false',
    );
  if (early > 0)
    throw refused(
      `${counted(early, 'label comes', 'labels come')} from before the end of the window, so the model could have known the outcome`,
      'return outcomes from :label_start on; observed_at says when each was seen',
    );
  if (late > 0)
    throw refused(
      `${counted(late, 'label comes', 'labels come')} from :label_end or later, which labels.after does not allow`,
      'return outcomes from before :label_end; observed_at says when each was seen',
    );
}

interface Coverage extends Pick<Joined, 'published' | 'matched' | 'known'> {
  readonly labels: LabelCounts;
  readonly missing: 'exclude' | 'negative';
}

/**
 * Checks that the labels belong to the published users.
 *
 * @returns warnings
 * @throws ScoreBatchError `refused` if most published users have no known outcome and are left out, or if most labels belong to
 * no published user and users without a label count as negative: the keys probably do not fit
 */
export function refuseOthers(name: string, { published, matched, known, labels, missing }: Coverage): string[] {
  const unmatched = labels.keys - matched;
  const most = `${grouped(unmatched)} of the ${counted(labels.keys, 'label')} belong to no published user`;
  if (missing === 'exclude' && 2 * known < published)
    throw refused(
      `the labels give the outcome of only ${grouped(known)} of ${counted(published, 'published user')}; ${most}`,
      `check that ${name} returns the key of source.key; if it returns only users whose outcome came true, set labels.missing: negative`,
    );
  const warnings: string[] = [];
  if (2 * unmatched > labels.keys) {
    const hint = `check the key; if the query also returns users of other windows, filter by :window_start_date and :window_end_date`;
    if (missing === 'negative') throw refused(most, hint);
    warnings.push(most);
  }
  if (labels.unknown > 0) warnings.push(`${counted(labels.unknown, 'label has', 'labels have')} no outcome and were left out`);
  return warnings;
}

function refused(message: string, hint: string): ScoreBatchError {
  return new ScoreBatchError('refused', message, { hint });
}

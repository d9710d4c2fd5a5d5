import type { KnownLabels } from '../compare/outcomes.ts';
import { counted, grouped } from '../domain/counted.ts';
import type { LedgerWindow } from '../domain/ledger.ts';
import type { TableColumn } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { Source } from '../warehouse/warehouse.ts';
import { localTime } from '../window/local-time.ts';
import { labelWindow, windowOf } from '../window/window.ts';
import { bindOutcomes, countOutcomes } from './outcome-query.ts';

interface LabelsOf {
  readonly job: Job;
  readonly source: Source;
  readonly window: LedgerWindow;
  /** Columns of the published scores. */
  readonly columns: readonly TableColumn[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * The outcomes of a window, if they are known and can be trusted.
 *
 * @returns undefined if the job has no labels; otherwise a sentence on why there are none
 */
export async function knownLabels({ job, source, window, columns, now }: LabelsOf): Promise<KnownLabels | string | undefined> {
  const { labels, time_zone: zone } = job.definition;
  if (labels === undefined) return undefined;
  const own = windowOf(Date.parse(window.start), Date.parse(window.end), zone);
  const span = labelWindow(own, labels.after);
  if (span.end.getTime() > now)
    return `the outcomes of ${window.label} are not known before ${localTime(span.end.toISOString(), zone)}`;
  try {
    const { query, ready } = bindOutcomes(job, own);
    if (ready !== undefined && !(await source.ready(ready)))
      return `the outcomes of ${window.label} are not in the source yet: labels.ready is not true`;
    const { definition } = job;
    const found = await countOutcomes(source, { definition, query, span, scores: columns });
    return { source, missing: labels.missing, query, columns: found.columns, rows: found.counts.rows };
  } catch (error) {
    // Comparing scores is useful even without outcomes.
    if (!(error instanceof ScoreBatchError) || (error.kind !== 'refused' && error.kind !== 'configuration')) throw error;
    return `the outcomes of ${window.label} were left out: ${error.message}`;
  }
}

/** A warning if the outcomes of more than half of the users are unknown. */
export function fewOutcomes(known: number, users: number): string | undefined {
  return 2 * known >= users
    ? undefined
    : `the labels give the outcome of only ${counted(known, 'user')} of ${grouped(users)} in both`;
}

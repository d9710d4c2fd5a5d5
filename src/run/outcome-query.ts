import type { Query } from '../domain/query.ts';
import type { TableColumn } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { bindLabels } from '../job/parameters.ts';
import { type LabelColumns, labelColumns } from '../labels/columns.ts';
import { refuseBadLabels, refuseTimeless } from '../labels/refuse.ts';
import { countLabels, type LabelCounts, type LabelTime } from '../labels/select.ts';
import type { Source } from '../warehouse/warehouse.ts';
import { wallClock } from '../window/calendar.ts';

/** The error for a job without labels. */
export function noLabels({ definition: { name } }: Pick<Job, 'definition'>): ScoreBatchError {
  return new ScoreBatchError('configuration', `${name} has no labels, so the outcomes of its users are not known`, {
    hint: 'add labels to the job file: a query that returns keys and outcomes',
  });
}

/** The query of labels for a window, and `labels.ready` if set. */
export interface OutcomeQuery {
  readonly query: Query;
  readonly ready: Query | undefined;
}

/**
 * @throws ScoreBatchError `configuration` if the query cannot be bound to the time after the window, or the job has no labels
 */
export function bindOutcomes(job: Job, window: Window): OutcomeQuery {
  const { labels } = job.definition;
  if (labels === undefined || job.labels === undefined) throw noLabels(job);
  const binding = { window, after: labels.after, kind: job.kind };
  const query = bindLabels(job.labels.query, { ...binding, name: job.labels.queryName });
  refuseTimeless(query);
  return {
    query,
    ready: labels.ready === undefined ? undefined : bindLabels(labels.ready, { ...binding, name: 'labels.ready' }),
  };
}

interface CountOptions {
  readonly definition: Job['definition'];
  readonly query: Query;
  /** The time span in which outcomes count; see `labelWindow`. */
  readonly span: Window;
  /** Columns of the published scores. */
  readonly scores: readonly TableColumn[];
}

/** @throws ScoreBatchError `configuration` if columns are missing, `refused` if the labels cannot be right */
export async function countOutcomes(
  source: Source,
  { definition, query, span, scores }: CountOptions,
): Promise<{ readonly columns: LabelColumns; readonly counts: LabelCounts }> {
  const columns = labelColumns(definition, await source.describe(query), scores);
  const counts = await countLabels(source, query, columns, timesOf(span));
  refuseBadLabels(query.name, counts);
  return { columns, counts };
}

function timesOf({ start, end, zone }: Window): LabelTime {
  const ends = { start, end };
  const each = (form: (at: Date) => string) => ({ start: form(ends.start), end: form(ends.end) });
  return {
    timestamp: each((at) => at.toISOString()),
    datetime: each((at) => wallClock(at.getTime(), zone)),
    date: each((at) => wallClock(at.getTime(), zone).slice(0, 10)),
  };
}

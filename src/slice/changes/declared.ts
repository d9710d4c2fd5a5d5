import type { WarehouseKind } from '../../domain/warehouse-kind.ts';
import type { JobDefinition } from '../../job/schema.ts';
import type { SourceTable } from './columns.ts';
import { eventSource } from './events.ts';
import { historySource } from './history.ts';
import type { ChangeSource, DeclaredSource, SpanToRead } from './source.ts';
import { watermarkSource } from './watermark.ts';

type Incremental = NonNullable<JobDefinition['incremental']>;
type Declaration = Incremental['changes'][number];

/** The change sources of a job, in the order of the job file; empty for a job without `incremental`. */
export function changeSources(job: JobDefinition, kind: WarehouseKind): readonly DeclaredSource[] {
  const { incremental } = job;
  if (incremental === undefined) return [];
  return incremental.changes.map((declared) => ({
    name: declared.table,
    columns: `SELECT * FROM ${declared.table}`,
    found: (schema, key) =>
      sourceOf(incremental, declared, {
        name: declared.table,
        kind,
        schema,
        keyNames: declared.key ?? job.source.key,
        key,
      }),
  }));
}

/** The instant of a slice: the latest one of its sources; undefined if none has rows. */
export function asOfOf(spans: readonly SpanToRead[]): string | undefined {
  // All have the same form, so sorting them as strings is correct.
  return spans
    .flatMap(({ asOf }) => asOf ?? [])
    .sort()
    .at(-1);
}

function sourceOf({ lag, lookback, reconcile }: Incremental, declared: Declaration, table: SourceTable): ChangeSource {
  const { watermark, history, time_zone: zone, position } = declared;
  const reconciled = reconcile !== undefined;
  if (watermark !== undefined) return watermarkSource(table, { column: watermark, zone, lag, lookback, reconciled });
  if (history !== undefined) return historySource(table, { rows: history, lag });
  return eventSource(table, { position, reconciled });
}

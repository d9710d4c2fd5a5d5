import type { Context } from '../context.ts';
import { parseTableName, sibling, suffixed, type TableName } from '../domain/table-name.ts';
import type { TableNames } from '../domain/tables.ts';
import type { Job } from '../job/load.ts';
import type { JobDefinition } from '../job/schema.ts';
import { memoryBudget } from '../memory.ts';
import { openWarehouse } from '../warehouse/open.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';

/** Names of a job's tables; quarantine and ledger stand beside the scores table. */
export function tableNames({ sink, report }: JobDefinition): TableNames {
  const scores = nameOf(sink.table);
  return {
    scores,
    quarantine: suffixed(scores, '_quarantine'),
    ledger: sibling(scores, 'score_batch_ledger'),
    report: report.table === undefined ? undefined : nameOf(report.table),
    summary: report.summary_table === undefined ? undefined : nameOf(report.summary_table),
  };
}

/** Source and sink of a job; nothing is connected yet. */
export function openWarehouses(
  { definition, root }: Job,
  { environment, signal }: Context,
): { source: Warehouse; sink: Warehouse } {
  const memory = memoryBudget(environment);
  return {
    source: openWarehouse(definition.source.warehouse, { root, scratch: definition.source.scratch, memory, signal }),
    sink: openWarehouse(definition.sink.warehouse ?? definition.source.warehouse, {
      root,
      scratch: definition.sink.scratch,
      memory,
      signal,
    }),
  };
}

function nameOf(text: string): TableName {
  const name = parseTableName(text);
  if (name === undefined) throw new Error(`${text} passed the job file's check and is no table name`);
  return name;
}

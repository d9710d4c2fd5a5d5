import path from 'node:path';
import { parseTableName, sibling, suffixed, type TableName } from '../domain/table-name.ts';
import type { Problem } from '../yaml/checked.ts';
import type { JobDefinition } from './schema.ts';

/** Checks of the challenger against the rest of the job. */
export function challengerChecks(job: JobDefinition): Problem[] {
  return job.challenger === undefined ? [] : [...otherModel(job), ...rowsFrozen(job), ...tableApart(job, job.challenger)];
}

function otherModel({ model, challenger }: JobDefinition): Problem[] {
  if (challenger === undefined || path.normalize(`${challenger.model}/`) !== path.normalize(`${model}/`)) return [];
  return [{ path: ['challenger', 'model'], message: `${challenger.model} is already the model of the job` }];
}

function rowsFrozen({ source }: JobDefinition): Problem[] {
  if (source.freeze !== 'never') return [];
  return [
    {
      path: ['source', 'freeze'],
      message: 'two models score the same rows, so the rows are frozen first; remove freeze: never, or remove the challenger',
    },
  ];
}

function tableApart({ sink, report, labels }: JobDefinition, { table }: NonNullable<JobDefinition['challenger']>): Problem[] {
  const scores = parseTableName(sink.table) ?? [];
  const own = table === undefined ? suffixed(scores, '_challenger') : (parseTableName(table) ?? []);
  const named: readonly (readonly [string, TableName])[] = [
    ['sink.table', scores],
    ['the quarantine table', suffixed(scores, '_quarantine')],
    ['the ledger table', sibling(scores, 'score_batch_ledger')],
    ['the evaluation table', labels === undefined ? [] : suffixed(scores, '_evaluation')],
    ...[
      ['report.table', report.table] as const,
      ['report.summary_table', report.summary_table] as const,
      ['report.drift_table', report.drift_table] as const,
      ['labels.table', labels?.table] as const,
    ].map(([what, name]) => [what, name === undefined ? [] : (parseTableName(name) ?? [])] as const),
  ];
  const wanted = [own, suffixed(own, '_quarantine')].map(keyOf);
  const other = named.find(([, name]) => name.length > 0 && wanted.includes(keyOf(name)));
  if (other === undefined) return [];
  const where = table === undefined ? ['challenger'] : ['challenger', 'table'];
  return [
    { path: where, message: `the challenger's tables would be those of ${other[0]}; name another table in challenger.table` },
  ];
}

function keyOf(name: TableName): string {
  return JSON.stringify(name).toLowerCase();
}

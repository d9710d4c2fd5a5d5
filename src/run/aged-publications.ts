import { counted } from '../domain/counted.ts';
import { replacedLayout } from '../domain/replaced-tables.ts';
import { showTableName } from '../domain/table-name.ts';
import { tablesByName } from '../domain/tables.ts';
import type { JobDefinition } from '../job/schema.ts';
import { tableNames } from '../plan/warehouses.ts';
import { countAged } from '../warehouse/sql/replaced.ts';
import type { Sink } from '../warehouse/warehouse.ts';
import type { JudgedArtifact } from './judged-artifacts.ts';

const DAY_MS = 86_400_000;

/**
 * Replaced publications of the job older than `sink.history_for`, or all of them if `sink.history` is 0: one artifact for all
 * tables, or none.
 *
 * @param now epoch milliseconds of the real clock
 */
export async function agedPublications(sink: Sink, definition: JobDefinition, now: number): Promise<JudgedArtifact[]> {
  const { name: job, score } = definition;
  const { history, history_for: days, layout } = definition.sink;
  const { ledger, evaluation: _, ...tables } = tablesByName(tableNames(definition), score.column, layout);
  const before = new Date(history === 0 ? now : now - days * DAY_MS).toISOString();
  const aged = await sink.read(async (reader) => {
    const found: { readonly rows: number; readonly table: ReturnType<typeof replacedLayout> }[] = [];
    for (const layout of Object.values(tables)) {
      const table = layout && (await reader.find(replacedLayout(layout)));
      if (table === undefined) continue;
      const [[rows] = []] = await reader.rows(countAged(reader.dialect, table, job, before));
      if (Number(rows) > 0) found.push({ rows: Number(rows), table });
    }
    return found;
  });
  if (aged.length === 0) return [];
  const why = history === 0 ? 'sink.history is 0' : `replaced more than ${counted(days, 'day')} ago`;
  return [
    {
      name: aged.map(({ table, rows }) => `${counted(rows, 'row')} of ${showTableName(table.name)}`).join(', '),
      run: undefined,
      deadline: undefined,
      deletable: true,
      why,
      drop: () => sink.dropReplaced({ tables: aged.map(({ table }) => table), ledger, job, before }),
    },
  ];
}

import { findColumn } from '../domain/schema.ts';
import { sqlTable } from '../domain/sql-name.ts';
import { showTableName } from '../domain/table-name.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { didYouMean } from '../suggest.ts';
import { isTryQuery } from '../warehouse/errors.ts';
import type { Source } from '../warehouse/warehouse.ts';

/**
 * Checks that the tables of a job on events have the columns of its feature file. Otherwise the query would fail with the
 * warehouse's message, or take a decimal for an integer and compute other values than the stream.
 *
 * @throws ScoreBatchError `configuration` with the first column that is missing or is not of an integer type
 */
export async function checkEventTables(
  { events, kind }: Pick<Job, 'events' | 'kind'>,
  source: Pick<Source, 'describe'>,
): Promise<void> {
  for (const { where, table, columns } of events?.tables ?? []) {
    const shown = showTableName(table);
    const query = { name: `the table ${shown}`, texts: [`select * from ${sqlTable(table, kind)}`], parameters: [] };
    const schema = await source.describe(query).catch((error: unknown) => {
      throw naming(where, error);
    });
    for (const { name, whole } of columns) {
      const column = findColumn(schema, name);
      if (column === undefined) {
        const all = schema.map((other) => other.name);
        throw new ScoreBatchError('configuration', `the table ${shown} (${where}) has no column ${name}`, {
          hint: didYouMean(name, all),
        });
      }
      // A warehouse's integers may be decimals without a fraction, such as NUMBER(38, 0).
      const isWhole = column.type === 'integer' || (column.type === 'decimal' && column.digits?.[1] === 0);
      if (!whole || isWhole) continue;
      throw new ScoreBatchError(
        'configuration',
        `the column ${name} of ${shown} (${where}) is ${column.native}, not a whole number`,
        {
          hint: 'the stream rejects such values, but SQL would accept them: cast the column in a view (to cents, for example), or correct the feature file',
        },
      );
    }
  }
}

/** The user did not write the query: the hint names the key that did. */
function naming(where: string, error: unknown): unknown {
  if (!(error instanceof ScoreBatchError) || error.kind !== 'configuration') return error;
  const { kind, message, details, hint } = error;
  const more = hint === undefined || isTryQuery(hint) ? ', or create the table' : `; ${hint}`;
  return new ScoreBatchError(kind, message, { details, hint: `correct ${where} in the job file${more}`, cause: error });
}

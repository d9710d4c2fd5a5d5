import type { TableName } from '../../domain/table-name.ts';
import { makeView } from '../sql/view.ts';
import type { ViewSpec } from '../view-spec.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { fullName, partsOf } from './names.ts';
import { run } from './query.ts';
import { createDataset, getTable } from './rest-tables.ts';

export async function view(connection: Connection, spec: ViewSpec): Promise<'created' | 'replaced' | 'unchanged'> {
  const full = (name: TableName) => fullName(name, connection.home);
  const maker = {
    dialect: BIGQUERY,
    async find(name: TableName) {
      const found = await getTable(connection, full(name));
      if (found === undefined) return undefined;
      return found.type === 'VIEW'
        ? { kind: 'view' as const, definition: found.view?.query ?? '' }
        : { kind: 'table' as const, definition: '' };
    },
    table: (name: TableName) => BIGQUERY.table(partsOf(full(name))),
    async create(name: TableName, select: string, replace: boolean) {
      await createDataset(connection, full(name));
      // Idempotent, because the request is repeated if its answer is lost.
      const create = replace ? 'CREATE OR REPLACE VIEW' : 'CREATE VIEW IF NOT EXISTS';
      await run(connection, `${create} ${BIGQUERY.table(name)} AS ${select}`);
    },
  };
  return await makeView(maker, { ...spec, name: partsOf(full(spec.name)) });
}

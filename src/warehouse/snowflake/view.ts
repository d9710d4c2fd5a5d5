import type { TableName } from '../../domain/table-name.ts';
import { makeView } from '../sql/view.ts';
import type { ViewSpec } from '../view-spec.ts';
import { SNOWFLAKE } from './dialect.ts';
import { tableIdentifier } from './names.ts';
import { inAccount, run, type Snowflake } from './snowflake.ts';
import { ensureSchema, findView } from './tables.ts';

/** DDL commits automatically on Snowflake, so the view is created outside any transaction. */
export async function view(snowflake: Snowflake, spec: ViewSpec): Promise<'created' | 'replaced' | 'unchanged'> {
  const full = (name: TableName) => inAccount(snowflake, { name }).name;
  const maker = {
    dialect: SNOWFLAKE,
    find: (name: TableName) => findView(snowflake, name),
    table: (name: TableName) => tableIdentifier(full(name)),
    async create(name: TableName, select: string, replace: boolean) {
      await ensureSchema(snowflake, name);
      // COPY GRANTS preserves who may read the view.
      const create = replace ? 'CREATE OR REPLACE VIEW' : 'CREATE VIEW IF NOT EXISTS';
      await run(snowflake, `${create} ${tableIdentifier(name)} ${replace ? 'COPY GRANTS ' : ''}AS ${select}`);
    },
  };
  return await makeView(maker, { ...spec, name: full(spec.name) });
}

import type { TableReader } from '../reader.ts';
import { auditBy } from '../sql/audit.ts';
import type { Audit } from '../warehouse.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { translated } from './errors.ts';
import { rows } from './query.ts';
import { inProject, layoutExists } from './tables.ts';

export function bigqueryAudit(connection: Connection): Audit {
  return auditBy((work) => translated(connection, () => work(readerOf(connection))));
}

/** Reads tables of the project. */
export function readerOf(connection: Connection): TableReader {
  return {
    dialect: BIGQUERY,
    find: async (layout) => ((await layoutExists(connection, layout)) ? inProject(connection, layout) : undefined),
    rows: (sql) => rows(connection, sql),
  };
}

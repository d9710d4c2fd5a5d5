import { existsSync } from 'node:fs';
import type { Database } from '../../duckdb/database.ts';
import type { TableReader, TextRow } from '../reader.ts';
import { auditBy } from '../sql/audit.ts';
import type { Audit } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { inCatalog, tableExists } from './tables.ts';

/** For a file that does not exist yet. */
const EMPTY: TableReader = { dialect: DUCKDB, find: async () => undefined, rows: async () => [] };

export function duckdbAudit(file: DuckdbFile): Audit {
  return auditBy(async (work) => {
    if (!existsSync(file.path)) return await work(EMPTY);
    return await withFile(file, 'read', (database) => work(readerOf(database)));
  });
}

/** Reads the tables of an open file. */
export function readerOf(database: Database): TableReader {
  return {
    dialect: DUCKDB,
    async find(layout) {
      const found = inCatalog(database, layout);
      return (await tableExists(database, found.name)) ? found : undefined;
    },
    rows: async (sql) => (await database.rows(sql)) as TextRow[],
  };
}

import { existsSync } from 'node:fs';
import path from 'node:path';
import { showUrl } from '../../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { Warehouse, WarehouseOptions } from '../warehouse.ts';
import { type DuckdbFile, missingFile, readTogether } from './file.ts';
import { duckdbLedger } from './ledger.ts';
import { duckdbSink } from './sink.ts';
import { duckdbSource } from './source.ts';

/**
 * A DuckDB file as a warehouse: `duckdb:path/to/file.duckdb`, relative to the project root. Does not open the file.
 *
 * @throws ScoreBatchError `configuration` if the URL does not name a file
 */
export function openDuckdb({ url, root, job, scratch, memory, reserve, signal }: WarehouseOptions): Warehouse {
  const name = url.slice('duckdb:'.length).replace(/^\/\/(?=\/)/, '');
  if (name === '' || name === ':memory:') {
    throw new ScoreBatchError('configuration', `${url} does not name a file`, {
      hint: 'a run resumes from what is on disk, so it needs a file: duckdb:path/to/file.duckdb',
    });
  }
  const file = path.resolve(root, name);
  if (file.includes('?')) {
    // DuckDB parses the rest as URL options and writes its log under another name.
    throw new ScoreBatchError(
      'configuration',
      `the path ${showUrl(file)} contains a ?, which DuckDB does not allow in a path`,
      {
        hint: 'rename the folder or the file',
      },
    );
  }
  const duckdb: DuckdbFile = {
    path: file,
    scratch: `${file}.${scratch.replaceAll(/[^\w-]/g, '_')}`,
    job,
    memory,
    reserve,
    signal,
  };
  return {
    kind: 'duckdb',
    async reach() {
      if (!existsSync(file)) throw missingFile(file);
    },
    readTogether: () => readTogether(duckdb),
    files: [file, `${file}.wal`, duckdb.scratch],
    source: duckdbSource(duckdb),
    sink: duckdbSink(duckdb),
    ledger: (layout) => duckdbLedger(duckdb, layout),
    async close() {
      // Nothing to close: each operation opens and closes the file.
    },
  };
}

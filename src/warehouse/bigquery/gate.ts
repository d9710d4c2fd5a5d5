import { sibling } from '../../domain/table-name.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { suffixOf } from './names.ts';
import { runUnlessThere } from './query.ts';

// The gate is a table of one row beside the ledger. Whoever writes to the ledger updates it first, in the same transaction:
// BigQuery's transactions see a snapshot, and of two that update one table the second is aborted. Inserts alone would both
// succeed.

/** @param ledger by its full name. @returns the gate's table as SQL */
export function gateName({ job }: Connection, ledger: TableLayout): string {
  return BIGQUERY.table(sibling(ledger.name, `score_batch_gate_${suffixOf(job)}`));
}

export async function createGate(connection: Connection, ledger: TableLayout): Promise<void> {
  await runUnlessThere(connection, `CREATE TABLE IF NOT EXISTS ${gateName(connection, ledger)} AS SELECT 0 AS taken`);
}

export function takeGate(gate: string): string {
  return `UPDATE ${gate} SET taken = taken + 1 WHERE TRUE`;
}

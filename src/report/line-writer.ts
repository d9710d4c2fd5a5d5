import type { TableColumn } from '../domain/tables.ts';
import { csvHeader, csvLine } from './csv.ts';
import type { PendingFile } from './file.ts';

/** Writes a report file with one line per user, which DuckDB renders. */
export interface LineWriter {
  /** DuckDB expression over the columns of the scores table. */
  readonly line: string;
  /** Writes what comes before the lines. */
  begin(): Promise<void>;
  /** @param lines of consecutive users, in the order of their ranks */
  write(lines: Uint8Array): Promise<void>;
  /** Writes what comes after the lines. */
  end(): Promise<void>;
  /** Releases resources of a file that will not be ended. Does nothing after `end`. */
  stop(): Promise<void>;
}

/** Excel takes a CSV file for UTF-8 only if it begins with this byte order mark. */
const BOM = '\uFEFF';

export function csvWriter(
  pending: Pick<PendingFile, 'write'>,
  columns: readonly TableColumn[],
  { bom }: { readonly bom: boolean },
): LineWriter {
  return {
    line: csvLine(columns),
    begin: () => pending.write(`${bom ? BOM : ''}${csvHeader(columns)}`),
    write: (lines) => pending.write(lines),
    end: async () => undefined,
    stop: async () => undefined,
  };
}

import { ZipWriter } from '@zip.js/zip.js/lib/zip-core-native.js';
import { grouped } from '../domain/counted.ts';
import type { TableColumn } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { PendingFile } from './file.ts';
import type { LineWriter } from './line-writer.ts';
import { CELL_LIMIT, sheetRow, TOO_LONG } from './sheet-row.ts';
import { partsOf, SHEET, sheetEnd, sheetStart, stylesOf } from './workbook.ts';

/** Limit without ZIP64, which Excel does not read in a streamed file. */
const MOST_BYTES = 2 ** 32 - 1;
/** Compressed bytes are written in pieces of this size. */
const PIECE = 2 ** 18;

export interface XlsxOptions {
  /** Final path, for messages. */
  readonly file: string;
  readonly columns: readonly TableColumn[];
  /** Number of users. */
  readonly rows: number;
}

/**
 * Writes a workbook in pieces: neither the rows nor the compressed bytes are ever held as a whole. With the same version of
 * Node its bytes are always the same, since it contains no timestamp.
 *
 * @throws ScoreBatchError `report` if a string is too long for a cell, or all of them for a sheet
 */
export function xlsxWriter(pending: Pick<PendingFile, 'write'>, { file, columns, rows }: XlsxOptions): LineWriter {
  const styles = stylesOf(columns);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const sheet = writable.getWriter();
  const zip = new ZipWriter(collecting(pending), {
    // The oldest date that the format has, in local time like all of its times.
    lastModDate: new Date(1980, 0, 1),
    extendedTimestamp: false,
    zip64: false,
    useWebWorkers: false,
  });
  let failure: unknown;
  let adding: Promise<unknown> | undefined;
  let bytes = 0;
  const add = async (piece: Uint8Array): Promise<void> => {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw unfit(file, `a sheet of more than ${grouped(MOST_BYTES)} bytes`);
    try {
      await sheet.write(piece);
    } catch (error) {
      // Throw the first failure, which is the cause: the disk, say, and not the stream that it broke.
      throw failure ?? error;
    }
  };
  const text = new TextEncoder();
  return {
    line: sheetRow(columns, styles.of),
    async begin() {
      for (const [path, content] of partsOf(columns, rows)) await zip.add(path, new Blob([content]).stream());
      adding = zip.add(SHEET, readable).catch(async (error: unknown) => {
        failure = error;
        // Otherwise a piece that waits for its turn would wait forever.
        await sheet.abort(error).catch(() => undefined);
      });
      await add(text.encode(sheetStart(columns, rows)));
    },
    async write(lines) {
      const at = lines.indexOf(TOO_LONG.charCodeAt(0));
      if (at >= 0) throw tooLong(file, columns, lines.subarray(at + 1, at + 4));
      await add(lines);
    },
    async end() {
      await add(text.encode(sheetEnd(columns, rows)));
      await sheet.close();
      await adding;
      if (failure !== undefined) throw failure;
      await zip.close();
    },
    async stop() {
      await sheet.abort(new Error('the workbook is not complete')).catch(() => undefined);
      await adding;
    },
  };
}

/** Collects small pieces, to save file system calls. */
function collecting(pending: Pick<PendingFile, 'write'>): WritableStream<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const whole = Buffer.concat(pieces);
    pieces = [];
    bytes = 0;
    if (whole.length > 0) await pending.write(whole);
  };
  return new WritableStream({
    async write(piece) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= PIECE) await flush();
    },
    close: flush,
  });
}

/** @param after bytes after the mark of a string that is too long: its column's letters, and the end of the cell */
function tooLong(file: string, columns: readonly TableColumn[], after: Uint8Array): ScoreBatchError {
  const letters = /^[A-Z]+/.exec(Buffer.from(after).toString('latin1'))?.[0] ?? '';
  const number = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);
  return unfit(file, `a text of more than ${grouped(CELL_LIMIT)} characters in ${columns[number - 1]?.name}`);
}

function unfit(file: string, what: string): ScoreBatchError {
  return new ScoreBatchError('report', `the report ${file} cannot hold ${what}`, {
    hint: 'the scores are published; use report.csv or report.parquet in place of report.xlsx, and run `score-batch report` for the same window',
  });
}

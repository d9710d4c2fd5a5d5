import { BlobReader, TextWriter, ZipReader } from '@zip.js/zip.js';
import { DOMParser } from 'linkedom';

/** A cell as a reader of workbooks takes it. */
interface SheetCell {
  readonly type: 'text' | 'number' | 'bool';
  /** With XML's entities resolved, and Excel's `_x…_` too. */
  readonly value: string;
  /** Format code of a number. */
  readonly format: string | undefined;
}

export interface ReadWorkbook {
  /** Paths of all parts, in the order of the file. */
  readonly parts: readonly string[];
  /** Text of a part. */
  part(path: string): string;
  /** Rows of a small sheet, the header first; cells by their letters. */
  readonly rows: readonly Readonly<Record<string, SheetCell>>[];
}

/** Unzips a workbook and parses its XML: every part must be well-formed. */
export async function readWorkbook(bytes: Uint8Array<ArrayBuffer>): Promise<ReadWorkbook> {
  const zip = new ZipReader(new BlobReader(new Blob([bytes])), { useWebWorkers: false });
  const texts = new Map<string, string>();
  for (const entry of await zip.getEntries())
    if (!entry.directory) texts.set(entry.filename, await entry.getData(new TextWriter()));
  await zip.close();
  const part = (path: string): string => {
    const text = texts.get(path);
    if (text === undefined) throw new Error(`the workbook has no ${path}`);
    return text;
  };
  return {
    parts: [...texts.keys()],
    part,
    // Parsed where a test asks for them: for a large sheet that would take minutes.
    get rows() {
      return rowsOf(part('xl/worksheets/sheet1.xml'), part('xl/styles.xml'));
    },
  };
}

const TYPES: Readonly<Record<string, SheetCell['type']>> = { inlineStr: 'text', b: 'bool' };

function rowsOf(sheet: string, styles: string): Record<string, SheetCell>[] {
  const parse = (xml: string) => new DOMParser().parseFromString(xml, 'text/xml');
  const styling = parse(styles);
  const codes = new Map(
    [...styling.querySelectorAll('numFmt')].map((one) => [one.getAttribute('numFmtId'), one.getAttribute('formatCode')]),
  );
  const formats = [...styling.querySelectorAll('cellXfs > xf')].map(
    (one) => codes.get(one.getAttribute('numFmtId')) ?? undefined,
  );
  return [...parse(sheet).querySelectorAll('row')].map((row) =>
    Object.fromEntries(
      [...row.querySelectorAll('c')].map((cell) => {
        const letters = (cell.getAttribute('r') ?? '').replace(/\d+$/, '');
        const type = TYPES[String(cell.getAttribute('t'))] ?? 'number';
        const value = cell.textContent ?? '';
        const format = type === 'number' ? formats[Number(cell.getAttribute('s'))] : undefined;
        return [letters, { type, value: type === 'text' ? unescaped(value) : value, format }];
      }),
    ),
  );
}

/** ECMA-376, part 1, 22.9.2.19: from left to right, each escape by itself. */
function unescaped(text: string): string {
  return text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

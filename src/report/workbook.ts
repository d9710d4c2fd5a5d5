import type { TableColumn } from '../domain/tables.ts';
import { escapeXml, formatOf, lettersOf } from './sheet-row.ts';

// The parts of a workbook with one sheet (ECMA-376, part 1). Only the sheet's rows depend on the number of users.

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** Path of the sheet in the package. */
export const SHEET = 'xl/worksheets/sheet1.xml';
const SHEET_NAME = 'report';

/** Ids from here on are for custom formats. */
const FIRST_FORMAT = 164;
/** Index of the style of header cells. */
const HEADER_STYLE = 1;

/** Column widths in characters that fit the values; longer strings are cut off in the view. */
const WIDTHS: Readonly<Record<TableColumn['type'], number>> = {
  integer: 12,
  decimal: 14,
  float: 14,
  bool: 9,
  string: 24,
  date: 12,
  datetime: 20,
  timestamp: 20,
  uuid: 38,
};
/** Characters of a header covered by the filter button. */
const BUTTON = 4;
const MOST_WIDTH = 60;

/** The cell styles of a workbook. */
export interface Styles {
  /** Index of the style of a column's cells. */
  of(column: TableColumn): number;
  readonly xml: string;
}

export function stylesOf(columns: readonly TableColumn[]): Styles {
  const codes = [...new Set(columns.map(formatOf))];
  const formats = codes.map((code, i) => `<numFmt numFmtId="${FIRST_FORMAT + i}" formatCode="${code}"/>`);
  const cells = codes.map(
    (_, i) => `<xf numFmtId="${FIRST_FORMAT + i}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>`,
  );
  const font = '<sz val="11"/><name val="Calibri"/><family val="2"/>';
  return {
    of: (column) => HEADER_STYLE + 1 + codes.indexOf(formatOf(column)),
    xml: `${XML}<styleSheet xmlns="${MAIN}"><numFmts count="${codes.length}">${formats.join('')}</numFmts>
<fonts count="2"><font>${font}</font><font><b/>${font}</font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="${codes.length + 2}"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>${cells.join('')}</cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`,
  };
}

/** The sheet up to its first user: frozen header row, widths and header. */
export function sheetStart(columns: readonly TableColumn[], rows: number): string {
  const widths = columns.map(({ name, type }, i) => {
    const width = Math.min(MOST_WIDTH, Math.max(WIDTHS[type], name.length + BUTTON));
    return `<col min="${i + 1}" max="${i + 1}" width="${width}" customWidth="1"/>`;
  });
  const names = columns.map(
    ({ name }, i) =>
      `<c r="${lettersOf(i)}1" s="${HEADER_STYLE}" t="inlineStr"><is><t xml:space="preserve">${escapeXml(name)}</t></is></c>`,
  );
  return `${XML}<worksheet xmlns="${MAIN}"><dimension ref="A1:${lastCell(columns, rows)}"/>
<sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView></sheetViews>
<cols>${widths.join('')}</cols><sheetData><row r="1">${names.join('')}</row>`;
}

/** The sheet after its last user. */
export function sheetEnd(columns: readonly TableColumn[], rows: number): string {
  return `</sheetData><autoFilter ref="A1:${lastCell(columns, rows)}"/></worksheet>`;
}

/** All other parts, by their path in the package, in the order that readers expect. */
export function partsOf(columns: readonly TableColumn[], rows: number): readonly (readonly [path: string, content: string])[] {
  const [, letters = '', row = ''] = /^([A-Z]+)(\d+)$/.exec(lastCell(columns, rows)) ?? [];
  const filtered = `${SHEET_NAME}!$A$1:$${letters}$${row}`;
  return [
    [
      '[Content_Types].xml',
      `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPE}.sheet.main+xml"/><Override PartName="/${SHEET}" ContentType="${TYPE}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${TYPE}.styles+xml"/></Types>`,
    ],
    ['_rels/.rels', relationships([['officeDocument', 'xl/workbook.xml']])],
    [
      'xl/workbook.xml',
      `${XML}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><bookViews><workbookView/></bookViews><sheets><sheet name="${SHEET_NAME}" sheetId="1" r:id="rId1"/></sheets><definedNames><definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">${filtered}</definedName></definedNames></workbook>`,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      relationships([
        ['worksheet', 'worksheets/sheet1.xml'],
        ['styles', 'styles.xml'],
      ]),
    ],
    ['xl/styles.xml', stylesOf(columns).xml],
  ];
}

function relationships(targets: readonly (readonly [type: string, target: string])[]): string {
  const each = targets.map(
    ([type, target], i) => `<Relationship Id="rId${i + 1}" Type="${RELATIONS}/${type}" Target="${target}"/>`,
  );
  return `${XML}<Relationships xmlns="${PACKAGE}/relationships">${each.join('')}</Relationships>`;
}

/** The last cell of the sheet: `X101` */
function lastCell(columns: readonly TableColumn[], rows: number): string {
  return `${lettersOf(columns.length - 1)}${rows + 1}`;
}

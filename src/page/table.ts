import { type Html, html, type Part } from './html.ts';

export interface Column {
  readonly head: Part;
  readonly numeric?: boolean;
  /** Whether its cells are long: the table then scrolls instead of breaking them into many lines. */
  readonly wide?: boolean;
}

interface Table {
  readonly caption: string;
  /** The first one names the rows. */
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Part[])[];
  /** Set if the caption says more than the heading above. */
  readonly showCaption?: boolean;
}

/** A table in its own box, which scrolls if the table is wider than the page. */
export function table({ caption, columns, rows, showCaption = false }: Table): Html {
  const heads = columns.map((column) => html`<th scope="col"${classOf(column)}>${column.head}</th>`);
  const body = rows.map((cells) => {
    const [first, ...rest] = cells;
    const others = rest.map((cell, i) => html`<td${classOf(columns[i + 1])}>${cell}</td>`);
    return html`<tr><th scope="row"${classOf(columns[0])}>${first}</th>${others}</tr>
`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption${showCaption ? undefined : html` class="unseen"`}>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}

function classOf(column: Column | undefined): Html | undefined {
  if (column?.wide) return html` class="wide"`;
  return column?.numeric ? html` class="n"` : undefined;
}

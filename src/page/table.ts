import { type Html, html, type Part } from './html.ts';

interface Column {
  readonly head: Part;
  readonly numeric?: boolean;
}

interface Table {
  readonly caption: string;
  /** The first one names the rows. */
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Part[])[];
  /** Unless the caption says only what the heading above says. */
  readonly showCaption?: boolean;
}

/** A table in a box of its own, which scrolls if the table is wider than the page. */
export function table({ caption, columns, rows, showCaption = false }: Table): Html {
  const heads = columns.map(({ head, numeric }) => html`<th scope="col"${numericClass(numeric)}>${head}</th>`);
  const body = rows.map((cells) => {
    const [first, ...rest] = cells;
    const others = rest.map((cell, i) => html`<td${numericClass(columns[i + 1]?.numeric)}>${cell}</td>`);
    return html`<tr><th scope="row"${numericClass(columns[0]?.numeric)}>${first}</th>${others}</tr>
`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption${showCaption ? undefined : html` class="unseen"`}>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}

function numericClass(numeric: boolean | undefined): Html | undefined {
  return numeric ? html` class="n"` : undefined;
}

import { printableValue } from '../domain/printable.ts';

/** Markup that is safe to send. Only `html` and the charts create it. */
export interface Html {
  readonly html: string;
}

export type Part = string | number | undefined | Html | readonly Part[];

/** Template tag: strings are escaped, markup and lists of it are inserted unchanged, undefined is left out. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, i) => (i === 0 ? text : `${markup(parts[i - 1])}${text}`)).join('') };
}

/** A name or a value from the data, which may be in a right-to-left language. */
export function value(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** A relative link. The `./` keeps a file name such as `javascript:x` from being a scheme. */
export function link(href: string, text: Part): Html {
  return html`<a href="./${href.split('/').map(encodeURIComponent).join('/')}">${text}</a>`;
}

/** Text between tags or in a quoted attribute. Characters that affect surrounding text are shown as `\u202e`. */
export function escaped(text: string): string {
  return printableValue(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function markup(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string') return escaped(part);
  if (typeof part === 'number') return String(part);
  return 'html' in part ? part.html : part.map(markup).join('');
}

// Texts of the page without markup.

/** A span of text. */
export interface Run {
  readonly text: string;
  readonly bold: boolean;
}

/** @param html of the page: a paragraph with `<b>` and `<bdi>` */
export function runsOfText(html: string): Run[] {
  // Whitespace before the last tag does not separate texts.
  return html
    .replace(/\s*(<\/p>\s*)?$/, '')
    .split(/(<b>.*?<\/b>)/s)
    .flatMap((part) => {
      const text = decoded(part.replaceAll(/<[^>]*>/g, '')).replaceAll(/\s+/g, ' ');
      return text === '' ? [] : [{ text, bold: part.startsWith('<b>') }];
    });
}

/** Collapses whitespace, line breaks included. */
export function plainText(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** Reverses the page's `escaped`. */
function decoded(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '');
}

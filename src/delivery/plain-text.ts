// The texts of the page without its markup.

/** A piece of text. */
export interface Run {
  readonly text: string;
  readonly bold: boolean;
}

/** @param html markup of the page: a paragraph with `<b>` and `<bdi>` */
export function runsOfText(html: string): Run[] {
  // White space before the last tag is none between texts.
  return html
    .replace(/\s*(<\/p>\s*)?$/, '')
    .split(/(<b>.*?<\/b>)/s)
    .flatMap((part) => {
      const text = decoded(part.replaceAll(/<[^>]*>/g, '')).replaceAll(/\s+/g, ' ');
      return text === '' ? [] : [{ text, bold: part.startsWith('<b>') }];
    });
}

/** Text on one line. */
export function plainText(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

/** What `escaped` of the page has made. */
function decoded(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '');
}

export const ORIGIN_FORM = 'write an origin like https://shop.example.com, without a path';

/** The origin at the start of the text, as browsers write it; undefined unless it is a web address. */
export function originOf(text: string): string | undefined {
  // Browsers send `null` from files and sandboxed pages; `*` stands for all.
  if (text === 'null' || text === '*') return text;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).origin;
}

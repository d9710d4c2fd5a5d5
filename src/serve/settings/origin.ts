export const ORIGIN_FORM = 'write an origin like https://shop.example.com, without a path';

/** The origin that a text begins with, as browsers write it; undefined for anything other than an address of the web. */
export function originOf(text: string): string | undefined {
  // Browsers send `null` from a file and from a page in a sandbox; `*` stands for all.
  if (text === 'null' || text === '*') return text;
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).origin;
}

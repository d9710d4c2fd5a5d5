import { isMap, parseDocument } from 'yaml';

/**
 * The text of a YAML map with some of its keys set anew, comments and order kept.
 *
 * @throws TypeError where the text is no map: it was parsed before
 */
export function withKeys(text: string, values: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(text);
  if (!isMap(document.contents) || document.errors.length > 0) throw new TypeError('the text is no YAML map');
  for (const [key, value] of Object.entries(values)) document.set(key, document.createNode(value, { flow: true }));
  return document.toString({ lineWidth: 0 });
}

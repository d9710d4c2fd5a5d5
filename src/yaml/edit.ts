import { Document, isMap, type Node, parseDocument, YAMLMap } from 'yaml';

/**
 * The text of a YAML map with some of its keys set anew, comments and order kept.
 *
 * @throws TypeError where the text is no map: it was parsed before
 */
export function withKeys(text: string, values: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(text);
  if (!isMap(document.contents) || document.errors.length > 0) throw new TypeError('the text is no YAML map');
  for (const [key, value] of Object.entries(values)) document.set(key, nodeOf(document, value));
  return document.toString({ lineWidth: 0 });
}

/** A YAML map of its own, with the keys as `withKeys` would write them. */
export function yamlOf(values: Readonly<Record<string, unknown>>): string {
  const document = new Document({});
  for (const [key, value] of Object.entries(values)) document.set(key, nodeOf(document, value));
  return document.toString({ lineWidth: 0 });
}

/** Maps of maps line by line, what has no map in it in one line. */
function nodeOf(document: Document.Parsed | Document, value: unknown): Node {
  if (!isPlainMap(value) || !Object.values(value).some(isPlainMap)) return document.createNode(value, { flow: true });
  const node = new YAMLMap();
  for (const [key, inner] of Object.entries(value)) node.set(key, nodeOf(document, inner));
  return node;
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { Document, isMap, type Node, parseDocument, YAMLMap } from 'yaml';

/**
 * Sets keys in the text of a YAML map. Keeps its comments and order.
 *
 * @throws TypeError if the text is not a map; callers have parsed it before
 */
export function withKeys(text: string, values: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(text);
  if (!isMap(document.contents) || document.errors.length > 0) throw new TypeError('the text is not a YAML map');
  for (const [key, value] of Object.entries(values)) document.set(key, nodeOf(document, value));
  return document.toString({ lineWidth: 0 });
}

/** A new YAML map, formatted as `withKeys` would. */
export function yamlOf(values: Readonly<Record<string, unknown>>): string {
  const document = new Document({});
  for (const [key, value] of Object.entries(values)) document.set(key, nodeOf(document, value));
  return document.toString({ lineWidth: 0 });
}

/** Maps that contain maps are written line by line, everything else on one line. */
function nodeOf(document: Document.Parsed | Document, value: unknown): Node {
  if (!isPlainMap(value) || !Object.values(value).some(isPlainMap)) return document.createNode(value, { flow: true });
  const node = new YAMLMap();
  for (const [key, inner] of Object.entries(value)) node.set(key, nodeOf(document, inner));
  return node;
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

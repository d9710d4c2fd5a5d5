import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  stringify,
} from 'yaml';

/** Changes in the text of a YAML map. */
export interface Splices {
  /** New strings for keys of the map, whose values must not be maps or lists. */
  readonly set: Readonly<Record<string, string>>;
  /** Keys to remove, each as its path from the top. */
  readonly remove: readonly (readonly string[])[];
}

/**
 * Changes values and removes keys of a YAML map by cutting the text. Every other byte stays: comments, quotes, spaces.
 *
 * @returns undefined if a key is missing, or its form cannot be cut: a map in braces, an alias, a block below `|` or `>`
 */
export function spliced(text: string, { set, remove }: Splices): string | undefined {
  const { contents, errors } = parseDocument(text);
  if (errors.length > 0) return undefined;
  const cuts = [
    ...Object.entries(set).map(([key, value]) => replacement(contents, key, value)),
    ...remove.map((path) => removal(text, contents, path)),
  ];
  if (cuts.some((cut) => cut === undefined)) return undefined;
  return cuts
    .flatMap((cut) => cut ?? [])
    .sort((a, b) => b.from - a.from)
    .reduce((result, { from, to, by }) => `${result.slice(0, from)}${by}${result.slice(to)}`, text);
}

interface Cut {
  readonly from: number;
  readonly to: number;
  readonly by: string;
}

function replacement(map: unknown, key: string, value: string): Cut | undefined {
  const node = pairOf(map, key)?.value;
  if (!isScalar(node) || isBlock(node) || node.anchor !== undefined || !node.range) return undefined;
  const [from, to] = node.range;
  // Keeps a long path on one line.
  return { from, to, by: stringify(value, { lineWidth: 0 }).trimEnd() };
}

/** Cuts whole lines, with comments inside the value, and comments below it that are indented more than the key. */
function removal(text: string, top: unknown, path: readonly string[]): Cut | undefined {
  let map = top;
  let pair: Pair | undefined;
  for (const name of path) {
    pair = pairOf(map, name);
    map = pair?.value;
  }
  const start = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
  const end = pair && endOf(pair);
  if (start === undefined || end === undefined) return undefined;
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const indent = text.slice(from, start);
  if (indent.trim() !== '') return undefined;
  let to = lineEnd(text, end);
  for (;;) {
    const line = text.slice(to, lineEnd(text, to));
    if (!line.startsWith(`${indent} `) || !line.trimStart().startsWith('#')) break;
    to += line.length;
  }
  return { from, to, by: '' };
}

function pairOf(map: unknown, name: string): Pair | undefined {
  if (!isMap(map) || map.flow === true) return undefined;
  return map.items.find(({ key }) => isScalar(key) && key.value === name);
}

/** End of a pair's last value; undefined if other parts of the text refer to it, or it is a block. */
function endOf(node: unknown): number | undefined {
  if (isPair(node)) return endOf(node.value) ?? (isNode(node.key) && node.value === null ? node.key.range?.[1] : undefined);
  if (!isNode(node) || isAlias(node) || !node.range) return undefined;
  if (isCollection(node) && node.flow !== true && node.items.length > 0) return endOf(node.items.at(-1));
  return (isScalar(node) || isCollection(node)) && !isBlock(node) && node.anchor === undefined ? node.range[1] : undefined;
}

/** Whether a string is a block below `|` or `>`. Its range ends where the next line starts, not where its last line ends. */
function isBlock(node: Node): boolean {
  return isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED);
}

/** Start of the next line. */
function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end + 1;
}

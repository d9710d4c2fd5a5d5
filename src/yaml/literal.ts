import { isNode, isScalar, parseDocument } from 'yaml';

const REFERENCE = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;

/**
 * Whether a value is literally in the YAML text, rather than taken from a variable by `${NAME}`. The default of
 * `${NAME:-default}` counts as literal.
 *
 * @returns false if there is no value at the path
 */
export function isLiteral(text: string, path: readonly string[]): boolean {
  const node: unknown = parseDocument(text).getIn(path, true);
  if (!isNode(node)) return false;
  return !(isScalar(node) && typeof node.value === 'string' && REFERENCE.test(node.value));
}

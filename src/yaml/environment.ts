import { type Document, isNode, Scalar, visit } from 'yaml';

interface UnsetVariable {
  readonly offset: number | undefined;
  readonly message: string;
}

const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in the values of a YAML document; `$${` is a literal `${`. Works on parsed
 * scalars, not on the text, so a variable cannot add keys or change the structure. A plain scalar that becomes a number or a
 * boolean has that type.
 *
 * @returns the variables that are not set and have no default
 */
export function resolveEnvironment(document: Document, environment: NodeJS.ProcessEnv): UnsetVariable[] {
  const unset: UnsetVariable[] = [];
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      const resolved = node.value.replaceAll(REFERENCE, (match, name: string | undefined, fallback: string | undefined) => {
        if (name === undefined) return '${';
        const value = (Object.hasOwn(environment, name) && environment[name]) || fallback;
        if (value === undefined) {
          unset.push({ offset: offsetOf(node), message: `the environment variable ${name} is not set and has no default` });
        }
        return value ?? match;
      });
      node.value = node.type === Scalar.PLAIN ? plainValue(resolved) : resolved;
    },
  });
  return unset;
}

function plainValue(text: string): string | number | boolean {
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}

/** Start of a node in its text, in characters. */
export function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** Strings that YAML reads literally in every position. */
const PLAIN = /^[A-Za-z_][\w./-]*$/;
/** Words that some YAML parser reads as a boolean or null. */
const WORDS = /^(true|false|null|yes|no|on|off|y|n)$/i;

/** A string as a YAML value or key, quoted if it would be read as something else. */
export function yamlText(text: string): string {
  return PLAIN.test(text) && !WORDS.test(text) ? text : JSON.stringify(text);
}

/** Texts that YAML takes as they are, wherever they stand. */
const PLAIN = /^[A-Za-z_][\w./-]*$/;
/** What some reader of YAML makes a boolean or nothing of. */
const WORDS = /^(true|false|null|yes|no|on|off|y|n)$/i;

/** A text as a value or a key of YAML, in quotes where it would be read as something else. */
export function yamlText(text: string): string {
  return PLAIN.test(text) && !WORDS.test(text) ? text : JSON.stringify(text);
}

/** Words that stand before a command without being one. */
const KEYWORDS = new Set(['do', 'then', 'else', 'exec']);

/**
 * The simple commands of a shell text, each as its words: what stands between `&&`, `|`, `;` and ends of lines, without comments,
 * keywords, files after `>` and variables that are set for one command. Knows quotes and nothing that expands.
 */
export function commandsIn(text: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  let quote = '';
  const endWord = () => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };
  const joined = `${text.replaceAll(/\\\n\s*/g, ' ')}\n`;
  for (let i = 0; i < joined.length; i += 1) {
    const char = joined[i] ?? '';
    if (quote !== '') {
      if (char === quote) quote = '';
      else word = (word ?? '') + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= '';
    } else if (char === '#' && word === undefined) {
      i = joined.indexOf('\n', i) - 1;
    } else if (/[\n;|&]/.test(char)) {
      endWord();
      commands.push([]);
    } else if (/\s/.test(char)) endWord();
    else word = (word ?? '') + char;
  }
  if (quote !== '') throw new Error(`a quote is not closed in: ${text}`);
  return commands.map(withoutPrefix).filter((words) => words.length > 0);
}

function withoutPrefix(words: readonly string[]): string[] {
  const first = words.findIndex((word) => !KEYWORDS.has(word) && !/^[A-Za-z_]\w*=/.test(word));
  // Where its output goes is not an argument.
  return first < 0 ? [] : words.slice(first).filter((word, i, all) => word !== '>' && all[i - 1] !== '>');
}

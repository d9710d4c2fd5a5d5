import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { repository } from '../../support/project.ts';

/** Names of a bundle that nobody may trust. */
export const HOSTILE = {
  name: `it's <b>"odd"</b> / 100 % \\ $HOME`,
  text: `</script><img src=x onerror="document.title='run'">`,
  number: '__proto__',
  categories: [`</option><script>document.title='run'</script>`, `it's "quoted" \\ $(touch run) \`run\` עברית`],
} as const;

/** A copy of the bundle `strings` with these names. */
export async function writeHostileBundle(folder: string): Promise<string> {
  const strings = repository('test', 'fixtures', 'models', 'strings');
  await cp(strings, folder, { recursive: true });
  const sha256 = /sha256: "(\w+)"/.exec(await readFile(path.join(strings, 'model.yaml'), 'utf8'))?.[1];
  const { name, text, number, categories } = HOSTILE;
  const of = (column: string, rest: object) => [{ name: column, ...rest }];
  const definition = {
    name,
    version: '1/<2>',
    sha256,
    description: text,
    inputs: [
      { name: 'plan', dtype: 'string', shape: ['N', 1], columns: of(text, { categories }) },
      { name: 'logins', dtype: 'int64', shape: ['N', 1], columns: of(number, { range: [0, 1_000_000] }) },
    ],
    output: { name: 'score', index: 0 },
  };
  // JSON is YAML.
  await writeFile(path.join(folder, 'model.yaml'), JSON.stringify(definition));
  const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
  // Of no text that the model knows, the score is that of the logins alone.
  const rows = categories.flatMap((category) => [`${quoted(category)},0,0.5`, `${quoted(category)},3,0.407333400`]);
  await writeFile(path.join(folder, 'golden.csv'), [`${quoted(text)},${number},expected_score`, ...rows, ''].join('\n'));
  return folder;
}

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readPage } from './support/markdown.ts';
import { repository } from './support/project.ts';

it('docs/stream.md: npm run demo:fraud runs its commands, and prints what the page says', () => {
  const script = repository(path.join('.modules', 'scripts', 'demo-fraud.js'));
  const { status, stdout } = spawnSync('sh', ['-c', 'exec "$0" "$1" 2>&1', process.execPath, script], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', SCORE_BATCH_PROGRESS_SECONDS: '600' },
  });
  expect(status, stdout).toBe(0);
  const printed = linesOf(stdout);
  const { blocks } = readPage('docs/stream.md');
  const commands = blocks
    .filter(({ info, text }) => info === 'sh' && /data\/fraud\/|--date/.test(text))
    .map(({ text }) => linesOf(text.replaceAll(/ \\\n\s*/g, ' ')).at(-1));
  expect(commands).toHaveLength(3);
  for (const command of commands) expect(printed).toContain(`$ ${command}`);
  const shown = blocks.filter(({ info, text }) => info === 'text' && !text.startsWith('{'));
  expect(shown).toHaveLength(4);
  for (const { text } of shown) {
    // A mark of what was left out.
    for (const part of text.split(/^ *…\n/m)) {
      const lines = linesOf(part);
      const at = printed.indexOf(lines[0] ?? '');
      expect(at, lines[0]).toBeGreaterThan(-1);
      expect(printed.slice(at, at + lines.length)).toEqual(lines);
    }
  }
  expect(stdout).toContain('19,797 of 19,797 scores agree within 1e-6');
}, 600_000);

/** Without ids of runs and the widths of columns. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/\b\d{4}-\d{2}-\d{2}-[0-9a-f]{12}\b/g, '<run>')
        .replaceAll(/ +/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');
}

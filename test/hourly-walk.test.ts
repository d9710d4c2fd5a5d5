import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readPage } from './support/markdown.ts';
import { repository } from './support/project.ts';

it('docs/hourly.md: npm run demo:hourly runs its commands in its order, and prints what the page says', () => {
  const script = repository(path.join('.modules', 'scripts', 'demo-hourly.js'));
  // Both streams in the order in which lines are written; no line that says that a slow machine is still busy.
  const { status, stdout } = spawnSync('sh', ['-c', 'exec "$0" "$1" 2>&1', process.execPath, script], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', SCORE_BATCH_PROGRESS_SECONDS: '600' },
  });
  expect(status, stdout).toBe(0);
  const run = partsOf(stdout);
  const names: string[] = [];
  let at = -1;
  let compared = 0;
  for (const { info, text } of blocksOfDemo()) {
    if (info === 'sh' && text.startsWith('score-batch')) {
      const command = text.trim().replace(/ +#/, '  #');
      at = run.findIndex(({ head }, i) => i > at && head === `$ ${command}`);
      expect(at, `${command} comes after ${names.at(-1)}`).toBeGreaterThan(-1);
      names.push(command);
    }
    if (info === 'sql') at = run.findIndex(({ head }, i) => i > at && head.startsWith('marketing.churn_now'));
    if (info !== 'text') continue;
    // After the switch, the page shows the view again.
    if (text.startsWith('origin') && !run[at]?.head.startsWith('marketing')) at += 1;
    const [printed, shown] = [plain(run[at]?.body ?? ''), plain(text)];
    // Seconds decide what a profile says.
    if (names.at(-1)?.includes('profile')) expect(printed).toContain(shown[0]);
    else expect(printed).toEqual(shown);
    compared += 1;
  }
  expect(names).toHaveLength(12);
  expect(compared).toBe(15);
}, 600_000);

function blocksOfDemo(): readonly { readonly info: string; readonly text: string }[] {
  const { blocks } = readPage('docs/hourly.md');
  const first = blocks.findIndex(({ text }) => text.startsWith('export SCORE_BATCH_JOB'));
  // The queries before it are examples.
  return blocks.slice(first).filter(({ info, text }) => info !== 'sql' || text.startsWith('select origin'));
}

/** A command or a look at the view, with what follows it. */
function partsOf(output: string): { readonly head: string; body: string }[] {
  const parts: { readonly head: string; body: string }[] = [];
  for (const line of output.split('\n')) {
    if (/^(\$ |marketing\.churn_now, |Left behind)/.test(line)) parts.push({ head: line, body: '' });
    else if (!line.startsWith('# ')) for (const part of parts.slice(-1)) part.body += `${line}\n`;
  }
  return parts;
}

/** Lines without ids of runs, seconds and the widths of columns; whether a slice costs too much depends on the machine. */
function plain(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^ +(seconds|scoring|rows\/s|bottleneck) |^(warning: )?the slice took /.test(line))
    .map((line) =>
      line
        .replaceAll(/\b(current|switch|\d{4}-W\d{2})-[0-9a-f]{12}\b/g, '<run>')
        .replace(/\d+\.\d +<run>$/, '<run>')
        .replaceAll(/ +/g, ' ')
        .trim(),
    );
}

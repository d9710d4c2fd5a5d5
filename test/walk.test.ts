import { readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { demoProject } from './support/demo-project.ts';
import { readPage } from './support/markdown.ts';
import { rowsOf } from './support/published.ts';
import { type Outcome, scoreBatch } from './support/score-batch.ts';
import { commandsIn } from './support/shell.ts';
import { transcribed } from './support/transcribed.ts';

const CSV = 'reports/churn-1997-W11.csv';
const QUERY = 'jobs/new_users.sql';

it('docs/wrong-report.md: each command, in its order, ends and prints as the page says', async () => {
  const folder = await demoProject();
  await cron(folder, '1997-03-10T08:00:00-05:00');
  await cron(folder, '1997-03-17T08:00:00-05:00');
  const morning = await contents(folder);
  const shown = transcribed({ [folder]: '/srv/churn', [`by ${userInfo().username}:`]: 'by ada:' });
  const states: Record<string, 'morning' | 'other'> = {};
  let last: Outcome | undefined;
  let commands = 0;
  for (const { info, text } of readPage('docs/wrong-report.md').blocks) {
    if (info === 'sql') await editQuery(folder, text);
    if (info === 'text') shown.check(text, `${last?.stderr}${last?.stdout}`);
    if (info !== 'sh') continue;
    for (const line of text.trim().split('\n')) {
      const [[program, ...args] = []] = commandsIn(line);
      if (program !== 'score-batch') continue;
      last = await scoreBatch(
        folder,
        args.map((arg) => shown.actual(arg)),
      );
      const code = Number(/# exit code (\d+)$/.exec(line)?.[1] ?? 0);
      expect(last.code, `${line}\n${last.stderr}`).toBe(code);
      commands += 1;
      states[`${commands} ${args[0] === '-q' ? 'run' : args[0]}`] = same(await contents(folder), morning);
    }
  }
  // Readers see the bad scores between the run at noon and the rollback, and never again.
  expect(states).toEqual({
    '1 run': 'other',
    '2 status': 'other',
    '3 rollback': 'other',
    '4 rollback': 'morning',
    '5 rollback': 'morning',
    '6 compare': 'morning',
    '7 plan': 'morning',
    '8 --week': 'morning',
    '9 plan': 'morning',
    '10 --week': 'morning',
    '11 status': 'morning',
  });
  expect(await numbers(folder)).toEqual(['1', '2', '3', '4']);
}, 400_000);

async function cron(folder: string, now: string): Promise<void> {
  const { code, stderr } = await scoreBatch(folder, ['-q', '--week'], { SCORE_BATCH_NOW: now });
  expect(code, stderr).toBe(0);
}

/** Puts a line in the place of the one that gives the same column. */
async function editQuery(folder: string, line: string): Promise<void> {
  const file = path.join(folder, QUERY);
  const [alias = ''] = / as \w+,$/.exec(line.trimEnd()) ?? [];
  const before = (await readFile(file, 'utf8')).split('\n');
  const at = before.findIndex((one) => one.endsWith(alias));
  expect(alias !== '' && at >= 0 && before[at] !== line.trimEnd(), line).toBe(true);
  await writeFile(file, before.with(at, line.trimEnd()).join('\n'));
}

/** What readers see of the week, without what names the run. */
async function contents(folder: string) {
  const rows = await rowsOf(
    folder,
    "select * exclude (run_id) from marketing.churn_weekly_report where window_label = '1997-W11' order by rank",
  );
  return { rows, csv: await readFile(path.join(folder, CSV), 'utf8') };
}

function same(now: unknown, then: unknown): 'morning' | 'other' {
  return JSON.stringify(now) === JSON.stringify(then) ? 'morning' : 'other';
}

async function numbers(folder: string): Promise<string[]> {
  const rows = await rowsOf(
    folder,
    "select publication from marketing.score_batch_ledger where window_label = '1997-W11' and state = 'published' order by entry_number",
  );
  return rows.map(({ publication }) => String(publication));
}

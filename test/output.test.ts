import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { statements, temporaryFolder } from './support/project.ts';
import { publishedTables, warehouseOf } from './support/published.ts';
import { scoreBatchProcess } from './support/score-batch.ts';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
/** A file of Linux that is always full. */
const FULL = '/dev/full';

function withStdout(folder: string, args: readonly string[], stdout: number): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { ...process.env, SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' },
    stdio: ['ignore', stdout, 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr })));
}

it.skipIf(!existsSync(FULL))('a run whose object does not fit on stdout is published, says so and ends with 74', async () => {
  const folder = await linearProject();
  const full = openSync(FULL, 'w');
  try {
    const run = await withStdout(folder, ['-q', '--week', '--json'], full);
    expect(run.code).toBe(74);
    expect(run.stderr).toMatch(
      /^error: the run is published, but stdout cannot be written: ENOSPC: no space left on device\n {2}job linear, window 1997-W11, run 1997-W11-[0-9a-f]{12}\nhint: do not run the window again/,
    );
    expect(await publishedTables(folder)).toContain('marketing.scores');
    for (const args of [['status'], ['--help'], ['--version']]) {
      const { code, stderr } = await withStdout(folder, args, full);
      expect({ args, code }).toEqual({ args, code: 74 });
      expect(stderr).toContain('error: stdout cannot be written: ENOSPC');
    }
    // What failed by itself keeps its own code, and its own words come first.
    const wrong = await withStdout(folder, ['--weak', '--json'], full);
    expect(wrong.code).toBe(64);
    expect(wrong.stderr).toMatch(/^error: unknown flag --weak\n[\s\S]*\nerror: stdout cannot be written/);
  } finally {
    closeSync(full);
  }
});

it('a reader that stops reading is not a failure', async () => {
  const child = spawn(process.execPath, [CLI, '--help'], { cwd: await temporaryFolder(), stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
});

it('what a hostile model, job or ledger is called is refused or shown, and never acted on', async () => {
  const hostile = '\u001b]0;owned\u0007\u009b2J\u202e';
  const escaped = JSON.stringify(hostile).slice(1, -1);
  const named = await linearProject({
    edit: (job) => job.replace('keep: [country]', `keep: ["${escaped}"]`).replace('high: top 10%', `"hi\\ngh": top 10%`),
  });
  const job = await scoreBatchProcess(named, ['--week']);
  expect(job.code).toBe(78);
  expect(job.stderr).toContain('sink.keep.0: must not contain control characters');
  const unknown = await linearProject({ edit: (text) => `${text}"${escaped}": 1\n` });
  const model = await linearProject();
  await writeFile(path.join(model, 'model/model.yaml'), `name: "${escaped}"\nversion: "${escaped}"\n`);
  // Anyone who can write to the warehouse may have written to the ledger.
  const ledger = await linearProject();
  await scoreBatchProcess(ledger, ['-q', '--week']);
  await statements(warehouseOf(ledger), [
    `update marketing.score_batch_ledger set window_label = '${hostile}\n1997-W11 published', model_version = '${hostile}'`,
  ]);
  const status = await scoreBatchProcess(ledger, ['status']);
  expect(status.code).toBe(0);
  expect(status.stdout).toContain(
    `${escaped.replace('\u009b', '\\u009b').replace('\u202e', '\\u202e')}\\u000a1997-W11 published`,
  );
  const outcomes = [
    status,
    await scoreBatchProcess(ledger, ['status', '--json']),
    await scoreBatchProcess(model, ['--week']),
    job,
    await scoreBatchProcess(unknown, ['--week']),
    await scoreBatchProcess(unknown, ['--week', '--json']),
  ];
  outcomes.push(await scoreBatchProcess(unknown, [hostile]), await scoreBatchProcess(unknown, ['--week', '--job', hostile]));
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 78, 78, 78, 78, 64, 64]);
  for (const { stdout, stderr } of outcomes) {
    expect(stdout + stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
  }
});

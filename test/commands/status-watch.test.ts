import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { scoreBatch, scoreBatchProcess, startScoreBatch } from '../support/score-batch.ts';

it('shows the ledger again and again, one block per interval, until a signal or --timeout: both are a success', async () => {
  const folder = await linearProject();
  expect((await scoreBatch(folder, ['--week', '-q'])).code).toBe(0);
  const running = startScoreBatch(folder, ['status', '--watch', '1', '--json']);
  await new Promise<void>((resolve) => {
    let lines = 0;
    running.process.stdout?.on('data', (text: string) => {
      lines += text.split('\n').length - 1;
      if (lines >= 2) resolve();
    });
  });
  running.process.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const blocks = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { runs: { window: string }[] });
  expect(blocks.length).toBeGreaterThanOrEqual(2);
  expect(blocks.every(({ runs }) => runs[0]?.window === '1997-W11')).toBe(true);
  const late = await scoreBatchProcess(folder, ['status', '--watch', '--timeout', '8s']);
  expect([late.code, late.stdout.includes('\u001b'), late.stdout.split('1997-W11  completed').length > 1]).toEqual([
    0,
    false,
    true,
  ]);
});

it('shows only what the filters let through', async () => {
  const folder = await linearProject();
  await scoreBatch(folder, ['--week', '1997-W11', '-q']);
  expect((await scoreBatch(folder, ['--date', '1997-03-12', '-q'])).code).toBe(0);
  const windows = async (...args: string[]) => {
    const { stdout } = await scoreBatch(folder, ['status', '--json', ...args]);
    return (JSON.parse(stdout) as { runs: { window: string }[] }).runs.map(({ window }) => window);
  };
  expect(await windows()).toEqual(['1997-W11', '1997-03-12']);
  expect(await windows('--since', '1997-03-11')).toEqual(['1997-03-12']);
  expect(await windows('--since', '1997-W11', '--state', 'completed')).toEqual(['1997-W11', '1997-03-12']);
  expect(await windows('--state', 'refused,missing')).toEqual([]);
  for (const wrong of [
    ['--state', 'lost'],
    ['--since', 'yesterday'],
    ['--watch', '0'],
    ['--watch', '86401'],
  ])
    expect((await scoreBatch(folder, ['status', ...wrong])).code).toBe(64);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { StageClock, showSeconds, totalSeconds } from '../../src/domain/stages.ts';

it('assigns time to one stage at a time, from the start of the first one', async () => {
  const before = performance.now();
  const clock = new StageClock(before - 2000, { freeze: 10, score: 20 });
  clock.enter('freeze');
  await sleep(5);
  clock.enter('publish');
  await sleep(5);
  const { seconds } = clock;
  const most = (performance.now() - before) / 1000;
  expect(seconds.plan).toBeGreaterThanOrEqual(2);
  expect(seconds.freeze).toBeGreaterThan(10);
  expect(seconds.publish).toBeGreaterThan(0);
  expect(seconds).toMatchObject({ score: 20, reconcile: 0, report: 0, clean_up: 0 });
  // No time is counted twice or left out.
  expect(totalSeconds(seconds)).toBeGreaterThan(32);
  expect(totalSeconds(seconds)).toBeLessThanOrEqual(32 + most + 1e-5);
});

it('tells when each stage began and ended, one after the other, and again those that came back', () => {
  const clock = new StageClock(-1000, { score: 20 });
  for (const stage of ['freeze', 'freeze', 'score', 'freeze'] as const) clock.enter(stage);
  const { intervals } = clock;
  expect(intervals.map(({ stage }) => stage)).toEqual(['plan', 'freeze', 'score', 'freeze']);
  expect(intervals[0]?.began).toBe(-1000);
  for (const [i, { began, ended }] of intervals.entries()) {
    expect(ended).toBeGreaterThanOrEqual(began);
    if (i > 0) expect(began).toBe(intervals[i - 1]?.ended);
  }
  // What earlier processes spent has no place in time here.
  expect(intervals[2]?.ended).toBeLessThan(20_000 + performance.now());
});

it('shows the seconds as a sum', () => {
  const seconds = {
    plan: 0.1,
    freeze: 1,
    score: 2.005,
    reconcile: 0,
    explain: 0,
    publish: 0.5,
    challenge: 0,
    report: 0.25,
    clean_up: 0,
  };
  expect(showSeconds(seconds)).toBe(
    '3.85 = plan 0.10 + freeze 1.00 + score 2.00 + reconcile 0.00 + publish 0.50 + report 0.25 + clean up 0.00',
  );
});

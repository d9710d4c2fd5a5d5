import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { repository } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { ask, change, INCREMENTAL, sliceProject } from '../support/slice-project.ts';
import { cronOf, crontab } from './cron-line.ts';
import { cronJob, steps } from './manifest.ts';

// Each scheduler of deploy runs a slice, then its comparison with the batch.

const SHADOW = `${INCREMENTAL}  shadow: { view: marketing.people }\n`;
const NEW_USER = "insert into users values (200, timestamp '1997-03-10 22:00', 0.5, 0, 'FR', timestamp '1997-03-10 22:00')";
const POSITION = `select max(publication) as n from marketing.score_batch_ledger where job = 'linear.incremental'`;
const HOURLY = crontab('score-batch-hourly.cron');

const read = (...file: string[]) => readFileSync(repository('deploy', ...file), 'utf8');

it('every scheduler starts the same two commands, and none passes a time', () => {
  const pod = steps(cronJob('cronjob-hourly.yaml').spec.jobTemplate.spec.template.spec).map(({ args }) => args.join(' '));
  const [slice = '', compare = ''] = pod;
  expect(slice).toMatch(/^run --slice /);
  expect(compare).toMatch(/^compare --shadow /);
  const dag = [...read('airflow', 'score_batch_hourly.py').matchAll(/arguments=f"(.*)"/g)].map(([, text = '']) => text);
  const units = [...read('systemd', 'score-batch-hourly@.service').matchAll(/^ExecStart=\S+ \S+ (.*)$/gm)].map(
    ([, text = '']) => text,
  );
  const lines = HOURLY.commands[0]?.split('&& node ').slice(-2) ?? [];
  for (const [first = '', second = ''] of [pod, dag, units]) {
    expect(first.replace(/^run /, '')).toMatch(/^--slice /);
    expect(second).toMatch(/^compare --shadow /);
  }
  expect(lines).toEqual([expect.stringContaining(' --slice '), expect.stringContaining(' compare --shadow ')]);
  expect([...pod, ...dag, ...units, ...lines].filter((text) => /--(week|date|hour|from|to)\b/.test(text))).toEqual([]);
});

it('cron takes a slice without a word, and mails what is wrong', { timeout: 300_000 }, async () => {
  const folder = await sliceProject({ incremental: SHADOW });
  const cron = await cronOf(HOURLY, folder);
  expect(await cron('1997-03-10T22:10:00Z')).toEqual({ code: 0, mail: '' });
  await change(folder, NEW_USER);
  expect(await cron('1997-03-10T23:10:00Z')).toEqual({ code: 0, mail: '' });
  expect(await ask(folder, POSITION)).toEqual([{ n: '2' }]);
  await change(folder, 'delete from users');
  const { code, mail } = await cron('1997-03-11T00:10:00Z');
  expect(code).toBe(65);
  expect(mail).toMatch(/^error: .*users\.loaded_at/);
});

it("the pod's containers do the same", async () => {
  const folder = await sliceProject({ incremental: SHADOW });
  for (const { args } of steps(cronJob('cronjob-hourly.yaml').spec.jobTemplate.spec.template.spec)) {
    // A deadline ends a process.
    const { code, stderr } = await scoreBatch(
      folder,
      args.filter((arg) => !arg.startsWith('--timeout')),
    );
    expect(code, stderr).toBe(0);
  }
  expect(await ask(folder, POSITION)).toEqual([{ n: '1' }]);
});

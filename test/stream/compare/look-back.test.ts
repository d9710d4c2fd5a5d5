import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { StreamCompareOutput } from '../../../src/json/stream.ts';
import { scoreBatch } from '../../support/score-batch.ts';
import { comparedProject, linesOfDay } from './compared-project.ts';

const COMPARE = ['stream', 'compare', '--job', 'fraud', '--batch', 'fraud-daily', '--date', '1997-03-15'];
const FILES = ['--scores', 'scores.jsonl', '--dead-letter', 'dead.jsonl'];

async function compare(folder: string, ...more: string[]): Promise<{ code: number | null; data: StreamCompareOutput }> {
  const { code, stdout } = await scoreBatch(folder, [...COMPARE, ...FILES, '--json', ...more]);
  return { code, data: JSON.parse(stdout.split('\n')[0] ?? '') };
}

it('finds 0 differences between a stream and the batch of a day, lists the late, and finds every change', async () => {
  const folder = await comparedProject(linesOfDay());
  const file = path.join(folder, 'scores.jsonl');
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');

  const { code, data } = await compare(folder);
  expect(code).toBe(0);
  expect(data).toMatchObject({
    ...{ schema: 'score-batch/stream-compare/1', job: 'fraud', batch: 'fraud-daily', window: '1997-03-15', as_of: 'arrival' },
    ...{
      differ: 0,
      largest_difference: 0,
      only_stream: 0,
      only_batch: 0,
      doubled: 0,
      idle: 0,
      capped: 0,
      repeated: 0,
      scored_again: 0,
    },
    not_scored: [{ reason: 'late', events: 6 }],
    differences: [],
  });
  // 24 of 26 hours, but for what is out of order at the ends of the day.
  expect(data.compared).toBeGreaterThan(2750);
  expect(data.equal).toBe(data.compared);
  expect(data.named.rejected).toHaveLength(6);
  const { stdout } = await scoreBatch(folder, [...COMPARE, ...FILES]);
  expect(stdout).toMatch(
    /^stream fraud against fraud-daily 1997-03-15, run \S+\n2,\d\d\d of 2,\d\d\d scores agree within 1e-6\n/,
  );
  expect(stdout).toMatch(/late +6 +\d:\d+, .*…/);

  // By 1e-6 and by more, one that is not there, one that is there twice, one before its time, one that was cut, and a stranger.
  const of = (at: number) =>
    JSON.parse(lines[at] ?? '') as { id: string; score: number; time: number; features: { a: number } };
  const changed = [...lines];
  const put = (at: number, change: object) => (changed[at] = JSON.stringify({ ...of(at), ...change }));
  put(1000, { score: of(1000).score + 1e-6 });
  put(1001, { score: of(1001).score - 2e-6 });
  put(1002, { score: 0.999999, features: { ...of(1002).features, a: 77 } });
  put(1003, { score: 0, idle: true });
  put(1004, { score: 0, capped: true });
  put(1005, { id: 'stranger' });
  // Again in the window, which is a duplicate, and an id that the batch has published, an hour later.
  changed.push(changed[1006] ?? '', JSON.stringify({ ...of(1007), offset: 999_999, score: 0.999 }));
  changed.push(JSON.stringify({ ...of(1008), offset: 999_998, time: of(1008).time + 3_600_000 }));
  await writeFile(file, `${changed.join('\n')}\n`);
  const other = await compare(folder);
  expect(other.code).toBe(65);
  expect(other.data).toMatchObject({
    ...{ compared: data.compared - 5, equal: data.compared - 7, differ: 2 },
    ...{ only_stream: 1, only_batch: 1, doubled: 1, idle: 1, capped: 1, repeated: 0, scored_again: 2 },
    named: {
      only_stream: ['stranger'],
      only_batch: [of(1005).id],
      idle: [of(1003).id],
      capped: [of(1004).id],
      repeated: [],
      scored_again: [of(1007).id, of(1008).id].sort(),
    },
    differences: [
      {
        id: of(1002).id,
        stream: 0.999999,
        batch: of(1002).score,
        features: [{ name: 'a', stream: '77', batch: String(of(1002).features.a) }],
      },
      { id: of(1001).id, features: [] },
    ],
  });
  const text = await scoreBatch(folder, [...COMPARE, ...FILES]);
  expect(text.stdout).toContain(
    '2 scores differ; 1 event is only in the stream; 1 event is only in the batch; 1 record of the stream appears twice; 2 events were scored again\n',
  );
  expect(text.stdout).toContain('; 2 were not compared\n');
  expect(text.stdout).toContain(`a 77 → ${of(1002).features.a}`);
  expect(text.stderr).toContain('the scores of the stream fraud do not match those of fraud-daily');
});

it('names the batch job that has published nothing, and its command', async () => {
  const folder = await comparedProject(linesOfDay(20));
  const other = COMPARE.map((arg) => arg.replace('1997-03-15', '1997-03-14'));
  const { code, stderr } = await scoreBatch(folder, [...other, ...FILES]);
  expect(code).toBe(65);
  expect(stderr).toContain('error: nothing is published for 1997-03-14 by the job fraud-daily\n');
  expect(stderr).toContain('hint: run `score-batch --job fraud-daily --date 1997-03-14` first, or choose another window');
});

it('lets an id be used again after its window, refuses where nothing was compared, and takes features as the run had them', async () => {
  const lines = linesOfDay(300);
  // Two events of an id, an hour apart: two rows of a key, which the batch quarantines.
  const [first, again] = [lines[100], lines[115]];
  if (first === undefined || again === undefined) throw new Error('there are fewer lines');
  lines[115] = { ...again, transaction_id: first.transaction_id };
  const folder = await comparedProject(lines);
  const { code, data } = await compare(folder);
  expect(code).toBe(0);
  expect(data).toMatchObject({ repeated: 1, scored_again: 0, named: { repeated: [first.transaction_id] } });
  expect(data.compared).toBeGreaterThan(200);
  const text = await scoreBatch(folder, [...COMPARE, ...FILES]);
  expect(text.stdout).toContain('scores agree within 1e-6; 1 was not compared\n');

  // The file of today says another window; the scores have the features of the run.
  const features = path.join(folder, 'jobs', 'fraud.features.yaml');
  const then = await readFile(features, 'utf8');
  await writeFile(features, then.replace('window: 5m', 'window: 6m'));
  expect((await compare(folder)).code).toBe(0);
  await writeFile(features, then);

  const file = path.join(folder, 'scores.jsonl');
  const scores = (await readFile(file, 'utf8')).trimEnd().split('\n');
  for (const change of [{ capped: true }, { idle: true }]) {
    await writeFile(file, scores.map((line) => `${JSON.stringify({ ...JSON.parse(line), ...change, score: 0 })}\n`).join(''));
    const vacuous = await scoreBatch(folder, [...COMPARE, ...FILES]);
    expect(vacuous.code).toBe(65);
    expect(vacuous.stderr).toContain('nothing was compared');
    expect(vacuous.stdout).toMatch(/\n0 of 0 scores agree within 1e-6; 2\d\d were not compared\n/);
  }
  const digest = 'f'.repeat(64);
  await writeFile(file, scores.map((line) => `${JSON.stringify({ ...JSON.parse(line), features_digest: digest })}\n`).join(''));
  expect((await scoreBatch(folder, [...COMPARE, ...FILES, '--allow-other'])).code).toBe(65);
});

it('refuses scores of another model and with other features, or leaves them out, and what are no scores', async () => {
  const folder = await comparedProject(linesOfDay(300));
  const file = path.join(folder, 'scores.jsonl');
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const { compared } = (await compare(folder)).data;
  const digest = 'f'.repeat(64);
  const model = { name: 'linear', version: '2', digest };
  const write = (change: object) =>
    writeFile(
      file,
      lines.map((line, i) => `${i % 2 === 0 ? line : JSON.stringify({ ...JSON.parse(line), ...change })}\n`).join(''),
    );
  for (const [change, name, message] of [
    [{ model, score: 0 }, 'other_model', 'events of the window with a different model than fraud-daily'],
    [{ features_digest: digest, score: 0 }, 'other_features', 'events of the window with different features than fraud-daily'],
  ] as const) {
    await write(change);
    const refused = await scoreBatch(folder, [...COMPARE, ...FILES]);
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain(message);
    const { code, data } = await compare(folder, '--allow-other');
    expect(code).toBe(0);
    expect(data[name]).toBeGreaterThan(100);
    expect(data[name] + data.compared).toBe(compared);
  }
  await writeFile(file, `${lines[0]}\n{"id":"t1","score":"secret"}\n`);
  const wrong = await scoreBatch(folder, [...COMPARE, ...FILES]);
  expect(wrong.code).toBe(78);
  expect(wrong.stderr).toContain('scores.jsonl:2 is not a score of score-batch stream');
  expect(wrong.stderr).not.toContain('secret');
  expect((await scoreBatch(folder, [...COMPARE, '--dead-letter', 'dead.jsonl'])).code).toBe(64);
  expect((await scoreBatch(folder, [...COMPARE, '--scores', 'absent.jsonl'])).code).toBe(64);
});

import { cp } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import type { StreamReplayOutput } from '../../../src/json/stream.ts';
import { readCommitted } from '../../kafka/java-client.ts';
import { repository } from '../../support/project.ts';
import { scoreBatch, startScoreBatch } from '../../support/score-batch.ts';
import { streamedDay } from '../streamed-day.ts';

const brokers = inject('kafka') ?? [];

const FROM = '1997-03-15T06:00:00Z';
const TO = '1997-03-15T18:00:00+00:00';
const REPLAY = ['stream', 'replay', '--job', 'fraud', '--from', FROM];

interface Score {
  readonly id: string;
  readonly time: number;
  readonly score: number;
  readonly model: { readonly name: string; readonly digest: string };
  readonly scored_at: string;
}

/** All that a replay has in common with the stream. */
function facts({ scored_at: _at, model: _model, ...score }: Score): object {
  return score;
}

async function committed(topic: string): Promise<Score[]> {
  const records = (await readCommitted(brokers, topic)).map(({ value }) => JSON.parse(value ?? '') as Score);
  return records.sort((a, b) => (a.id < b.id ? -1 : 1));
}

// Without Java there is no Kafka.
it.runIf(brokers.length > 0)(
  'writes the scores that the stream wrote of a stretch, once, with this or another model, over a kill',
  async () => {
    const { folder, scores, topic, create, end, close } = await streamedDay(brokers, 1500);
    const within = ({ time }: Score) => time >= Date.parse(FROM) && time < Date.parse(TO);
    const before = await committed(topic('fraud-scores'));
    const expected = before.filter(within);
    expect(before).toHaveLength(scores.length);
    expect(expected.length).toBeGreaterThan(500);

    const same = ['--to', TO, '--topic', await create('same'), '--dead-letter', await create('same-dead', 1)];
    const { code, stdout, stderr } = await scoreBatch(folder, [...REPLAY, ...same, '--json']);
    expect(code, stderr).toBe(0);
    const told = JSON.parse(stdout) as StreamReplayOutput;
    const own = await committed(topic('same'));
    expect(own.map(facts)).toEqual(expected.map(facts));
    expect(told).toMatchObject({ scored: expected.length, continued: false, unsettled: [], idle: 0, attributes_at: null });
    const letters = (await readCommitted(brokers, topic('same-dead'))).map(({ value }) => JSON.parse(value ?? ''));
    expect(told.rejected).toEqual([{ reason: 'late', events: letters.length }]);
    expect(letters.length).toBeGreaterThan(0);

    // A model of the same scores, so that only what names it differs; ended amid its transactions, and again to its end.
    await cp(repository('test/fixtures/models/fixed-one'), path.join(folder, 'other'), { recursive: true });
    const other = [...REPLAY, '--to', TO, '--topic', await create('other'), '--model', 'other'];
    const first = startScoreBatch(folder, other);
    while ((await end(topic('other'))) < 100 && first.process.exitCode === null)
      await new Promise((again) => setTimeout(again, 5));
    first.process.kill('SIGKILL');
    expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
    const second = await scoreBatch(folder, [...other, '--json']);
    expect(second, second.stderr).toMatchObject({ code: 0 });
    const rest = JSON.parse(second.stdout) as StreamReplayOutput;
    expect(rest.continued).toBe(true);
    expect(rest.scored).toBeGreaterThan(0);
    expect(rest.scored).toBeLessThan(expected.length);
    const replayed = await committed(topic('other'));
    expect(replayed.map(facts)).toEqual(expected.map(facts));
    expect(new Set(replayed.map(({ model }) => model.name))).toEqual(new Set(['fixed-one']));
    expect(replayed[0]?.model.digest).not.toBe(expected[0]?.model.digest);

    const third = await scoreBatch(folder, other);
    expect(third.stdout).toMatch(/^scored {6}0 to other-.*\ncontinued {3}an earlier run; what it wrote is not counted here$/m);
    const refusals: [args: string[], code: number, message: string][] = [
      [
        ['--to', '1997-03-15T17:00:00Z', '--topic', topic('same')],
        65,
        'is not empty, and its records are not from this replay',
      ],
      [
        ['--to', TO, '--topic', topic('same'), '--model', 'other'],
        65,
        'is not empty, and its records are not from this replay',
      ],
      [['--to', TO, '--topic', topic('fraud-scores')], 64, 'is a topic of the stream job fraud'],
      [['--to', TO, '--topic', topic('missing')], 78, `the topic ${topic('missing')} (--topic) does not exist`],
      [['--to', FROM, '--topic', topic('same')], 64, '--from must be before --to'],
    ];
    for (const [args, expectedCode, message] of refusals) {
      const refused = await scoreBatch(folder, [...REPLAY, ...args]);
      expect({ args, code: refused.code, stderr: refused.stderr }).toEqual({
        ...{ args, code: expectedCode, stderr: expect.stringContaining(message) },
      });
    }
    // The stream's own topics and group are as they were.
    expect(await committed(topic('fraud-scores'))).toEqual(before);
    await close();
  },
  300_000,
);

import { expect, it } from 'vitest';
import { openKafka } from '../../../src/stream/kafka/open.ts';
import { kafkaLogOf } from '../../../src/stream/process/kafka-log.ts';
import { settingsOf } from '../kafka/fixture.ts';

function listening() {
  const [warnings, others]: [string[], string[]] = [[], []];
  let now = 0;
  const console = { warn: (text: string) => warnings.push(text), debug: (text: string) => others.push(text) };
  return { warnings, others, log: kafkaLogOf(console, () => now), pass: (ms: number) => (now += ms) };
}

it('shows a message once a minute, with the number of its repeats, and each message by itself', () => {
  const { log, warnings, others, pass } = listening();
  const refused = (port: number) => `Connection: Connection error: connect ECONNREFUSED 127.0.0.1:${port}`;
  for (let second = 0; second < 59; second += 1) {
    log('error', refused(9092));
    pass(1000);
  }
  log('error', refused(9093));
  expect(warnings).toEqual([`Kafka: ${refused(9092)}`, `Kafka: ${refused(9093)}`]);
  expect(others).toHaveLength(58);
  pass(1000);
  log('error', refused(9092));
  expect(warnings[2]).toBe(`Kafka: ${refused(9092)} (and 58 times before, since it was last shown)`);
  pass(60_000);
  log('error', refused(9092));
  expect(warnings.slice(3)).toEqual([`Kafka: ${refused(9092)}`]);
});

it('shows one line of a single broker that does not answer, and none of another broker', async () => {
  const { log, warnings, others } = listening();
  await expect(openKafka(settingsOf(['127.0.0.1:1']), log)).rejects.toMatchObject({ kind: 'unavailable' });
  expect(warnings).toEqual(['Kafka: Connection: Connection error: connect ECONNREFUSED 127.0.0.1:1']);
  expect(others.length).toBeGreaterThan(1);
  expect(new Set(others)).toEqual(new Set(warnings));
});

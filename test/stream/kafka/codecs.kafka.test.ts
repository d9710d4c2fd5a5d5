import { describe, expect, inject, it } from 'vitest';
import { javaProduce, readCommitted } from '../../kafka/java-client.ts';
import { makeTopic, producerOf, readAll, recordsTo, settingsOf, withLog } from './fixture.ts';

const brokers = inject('kafka') ?? [];

const VALUES = Array.from({ length: 3_000 }, (_, i) => `{"id":"${i}","text":"${'transaction '.repeat(i % 9)}é"}`);

// Without Java there is no Kafka.
describe.runIf(brokers.length > 0)('codecs', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)("reads what Java's producer wrote with %s", (codec) =>
    withLog(settingsOf(brokers), async (log) => {
      const topic = await makeTopic(brokers);
      await javaProduce(
        brokers,
        topic,
        VALUES.map((value, i) => ({ key: `${i}`, value })),
        codec,
      );
      expect(await readAll(log, topic, VALUES.length)).toEqual(VALUES);
    }),
  );

  it.each(['none', 'gzip', 'snappy', 'lz4'] as const)(
    "writes with %s what Java's consumer reads, in the partitions that Java chooses",
    (compression) =>
      withLog(settingsOf(brokers, { compression }), async (log) => {
        const topic = await makeTopic(brokers, { partitions: 7 });
        const byJava = await makeTopic(brokers, { partitions: 7 });
        const keys = Array.from({ length: 200 }, (_, i) => 'schlüssel'.slice(0, i % 10) + i);
        const producer = await producerOf(log, topic);
        await producer.commit({ records: recordsTo(topic, keys), offset: 1, metadata: '' });
        await javaProduce(
          brokers,
          byJava,
          keys.map((key) => ({ key, value: key })),
          compression,
        );
        const placed = async (of: string) =>
          (await readCommitted(brokers, of, { count: keys.length }))
            .map(({ partition, value }) => `${partition} ${value}`)
            .sort();
        expect(await placed(topic)).toEqual(await placed(byJava));
        expect((await readAll(log, topic, keys.length, 7)).sort()).toEqual(keys.sort());
      }),
  );
});

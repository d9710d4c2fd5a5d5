import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openKafka } from '../../../src/stream/kafka/open.ts';
import { type KafkaCluster, startKafka } from '../../kafka/broker.ts';
import { makeTopic, producerOf, readAll, recordsTo, settingsOf, withLog } from './fixture.ts';

const sasl = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', password = 'secret of alice', username = 'alice') => ({
  mechanism,
  username,
  password,
});

// Without Java there is no Kafka.
describe.runIf(inject('kafka') !== undefined)('TLS and SASL', () => {
  let cluster: KafkaCluster;
  let withClients: KafkaCluster;

  beforeAll(async () => {
    const users = { alice: 'secret of alice', bob: 'secret of bob' };
    [cluster, withClients] = await Promise.all([
      startKafka({ tls: { client: false }, sasl: users, allowed: ['alice'] }),
      startKafka({ tls: { client: true } }),
    ]);
  });
  afterAll(() => Promise.all([cluster?.stop(), withClients?.stop()]));

  const ca = () => ({ ca: cluster.certificates?.ca, cert: undefined, key: undefined });

  async function roundTrip(settings: Parameters<typeof withLog>[0], plain: readonly string[]): Promise<void> {
    const topic = await makeTopic(plain);
    await withLog(settings, async (log) => {
      const producer = await producerOf(log, topic);
      await producer.commit({ records: recordsTo(topic, ['a']), offset: 1, metadata: '' });
      expect(await readAll(log, topic, 1)).toEqual(['a']);
    });
  }

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('works with %s, with and without TLS', async (mechanism) => {
    await roundTrip(settingsOf(cluster.sasl, { sasl: sasl(mechanism) }), cluster.brokers);
    await roundTrip(settingsOf(cluster.saslTls, { sasl: sasl(mechanism), tls: ca() }), cluster.brokers);
  });

  it('presents a certificate of the client, from files or as text', async () => {
    const { ca: authority = '', cert = '', key = '' } = withClients.certificates ?? {};
    await roundTrip(settingsOf(withClients.tls, { tls: { ca: authority, cert, key } }), withClients.brokers);
    const texts = await Promise.all([authority, cert, key].map((file) => readFile(file, 'utf8')));
    const [caText, certText, keyText] = texts;
    await roundTrip(settingsOf(withClients.tls, { tls: { ca: caText, cert: certText, key: keyText } }), withClients.brokers);
  });

  it.each([
    ['a wrong password', 'permission', () => settingsOf(cluster.sasl, { sasl: sasl('scram-sha-512', 'wrong') })],
    ['a wrong password with PLAIN', 'permission', () => settingsOf(cluster.sasl, { sasl: sasl('plain', 'wrong') })],
    [
      'an authority that did not sign',
      'configuration',
      () => settingsOf(cluster.tls, { tls: { ca: withClients.certificates?.ca, cert: undefined, key: undefined } }),
    ],
    [
      'no authority',
      'configuration',
      () => settingsOf(cluster.tls, { tls: { ca: undefined, cert: undefined, key: undefined } }),
    ],
    [
      'no certificate where one is required',
      'permission',
      () => settingsOf(withClients.tls, { tls: { ca: withClients.certificates?.ca, cert: undefined, key: undefined } }),
    ],
    ['a listener without SASL', 'configuration', () => settingsOf(cluster.brokers, { sasl: sasl('plain') })],
    ['a port where nothing listens', 'unavailable', () => settingsOf(['127.0.0.1:1'])],
    ['a listener with TLS, without', 'unavailable', () => settingsOf(cluster.tls)],
  ] as const)('refuses %s: %s', async (_, kind, settings) => {
    await expect(openKafka(settings())).rejects.toMatchObject({ name: 'ScoreBatchError', kind });
  });

  it('says what a user may not do', async () => {
    const topic = await makeTopic(cluster.brokers);
    await withLog(settingsOf(cluster.sasl, { sasl: sasl('plain', 'secret of bob', 'bob') }), async (log) => {
      const denied = { name: 'ScoreBatchError', kind: 'permission' };
      await expect(producerOf(log, topic)).rejects.toMatchObject(denied);
      const { signal } = new AbortController();
      await expect(log.read(topic, new Map([[0, 0]]), async () => {}, signal)).rejects.toMatchObject(denied);
      const member = { assigned: async () => 0, batch: async () => undefined, revoked: async () => {} };
      await expect((await log.subscribe(topic, 'group', member)).ended).rejects.toMatchObject(denied);
      await expect(log.describe(topic)).rejects.toMatchObject(denied);
    });
  });
});

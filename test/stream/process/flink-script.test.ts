import { expect, it } from 'vitest';
import { readEventFeatures } from '../../../src/event-features/read.ts';
import { flinkScript } from '../../../src/stream/process/flink-script.ts';
import type { StreamSettings } from '../../../src/stream/settings.ts';
import { FEATURES } from '../stream-project.ts';

it('reaches Kafka as the stream does, without a password, and with a place for the certificate of the client', () => {
  const features = readEventFeatures(FEATURES.replace('as_of: arrival', 'as_of: event'), 'fraud.features.yaml');
  const tls = { ca: '/tls/ca.pem', cert: '/tls/cert.pem', key: '/tls/key.pem' };
  const sasl = { mechanism: 'scram-sha-512', username: 'fraud', password: 'secret' };
  const kafka = { brokers: ['kafka-1:9093'], clientId: 'score-batch', tls, sasl };
  const settings = { name: 'fraud', group: 'fraud', input: 'transactions', features, kafka } as unknown as StreamSettings;
  const sql = flinkScript(settings, {});
  for (const option of [
    "'properties.security.protocol' = 'SASL_SSL'",
    "'properties.ssl.truststore.location' = '/tls/ca.pem'",
    "'properties.ssl.keystore.type' = 'PEM'",
    "'properties.ssl.keystore.location' = 'KEYSTORE'",
    'username="fraud" password="PASSWORD"',
  ]) {
    // The input and both outputs.
    expect(sql.split(option)).toHaveLength(4);
  }
  expect(sql).not.toContain('secret');
});

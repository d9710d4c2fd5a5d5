import { type FlinkSettings, flinkSql } from '../../event-features/flink/script.ts';
import type { KafkaSettings, StreamSettings } from '../settings.ts';

/**
 * The features of a stream job as a job of Flink SQL, which writes them to a topic. It has a group of its own.
 *
 * @throws ScoreBatchError `configuration` if the features are as of arrival
 */
export function flinkScript(settings: StreamSettings, flink: FlinkSettings): string {
  const { features, group, input, kafka, idleMs, name } = settings;
  const topics = {
    ...{ brokers: kafka.brokers, group: `${group}-flink`, input },
    ...{ features: `${name}-features`, rejected: `${name}-features-rejected`, properties: propertiesOf(kafka) },
  };
  return flinkSql(features, topics, { idleMs, ...flink });
}

/** What Java's client calls the same. A password is never printed; certificate and key are one file there. */
function propertiesOf({ tls, sasl }: KafkaSettings): Record<string, string> {
  const protocol = `${sasl === undefined ? '' : 'SASL_'}${tls === undefined ? 'PLAINTEXT' : 'SSL'}`;
  const certificates: Record<string, string> = {
    ...(tls?.ca === undefined ? {} : { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': tls.ca }),
    ...(tls?.cert === undefined ? {} : { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': 'KEYSTORE' }),
  };
  if (sasl === undefined) return protocol === 'PLAINTEXT' ? {} : { 'security.protocol': protocol, ...certificates };
  const module = sasl.mechanism === 'plain' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule';
  return {
    'security.protocol': protocol,
    ...certificates,
    'sasl.mechanism': sasl.mechanism.toUpperCase(),
    'sasl.jaas.config': `org.apache.kafka.common.security.${module} required username="${sasl.username}" password="PASSWORD";`,
  };
}

import { type FlinkSettings, flinkSql } from '../../event-features/flink/script.ts';
import type { KafkaSettings, StreamSettings } from '../settings.ts';

/**
 * A stream job's features as a Flink SQL job that writes them to a topic. It has its own group.
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

/** The same settings for Java's client. Passwords are never printed; it takes certificate and key as one file. */
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

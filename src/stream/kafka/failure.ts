import { ScoreBatchError } from '../../errors.ts';

// Errors of kafkajs by meaning: each has a name, and one that a broker answered also has the type of the protocol's error.

const LOST = [
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSTimeout',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
];
const PASSING = [
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'REQUEST_TIMED_OUT',
  'BROKER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_CONTROLLER',
  'CONCURRENT_TRANSACTIONS',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNSTABLE_OFFSET_COMMIT',
  'OFFSET_NOT_AVAILABLE',
  'LISTENER_NOT_FOUND',
];
/** Codes of OpenSSL and Node for a certificate that is invalid or not trusted. */
const TRUST = /^(ERR_TLS_CERT|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_OSSL|ERR_SSL_WRONG)|_CERT(IFICATE)?_/;
const CLIENT_CERTIFICATE = /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA)/;

/** The type of the protocol's error, such as `NOT_LEADER_FOR_PARTITION`; undefined if no broker answered. */
export function typeOf(error: unknown): string | undefined {
  const found = innermost(error);
  return 'type' in found && typeof found.type === 'string' ? found.type : undefined;
}

function codeOf(error: unknown): string {
  const found = innermost(error);
  return 'code' in found ? String(found.code) : '';
}

/** Unwraps an error: kafkajs wraps those that it retried. */
function innermost(error: unknown): Error {
  let found = error instanceof Error ? error : new Error(String(error));
  while (found.cause instanceof Error) found = found.cause;
  return found;
}

/** Whether the same request may succeed later: a broker is away, or another one is taking over. */
export function isPassing(error: unknown): boolean {
  const type = typeOf(error);
  if (type !== undefined) return PASSING.includes(type);
  return LOST.includes(innermost(error).name) && !isTrust(error);
}

/** Whether the connection is lost or the wrong broker was asked. */
export function isMisdirected(error: unknown): boolean {
  return isPassing(error) && !['CONCURRENT_TRANSACTIONS', 'UNSTABLE_OFFSET_COMMIT'].includes(typeOf(error) ?? '');
}

/** Of a topic that was there. */
export function isUnknownTopic(error: unknown): boolean {
  return !(error instanceof ScoreBatchError) && isMissingTopic(error);
}

/** Of any topic. */
export function isMissingTopic(error: unknown): boolean {
  return typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

export function missingTopic(topic: string, cause: unknown): ScoreBatchError {
  return new ScoreBatchError('configuration', `the topic ${topic} does not exist`, {
    hint: 'create the topic, or correct its name',
    cause,
  });
}

/** A passing error: leaders come back. */
export function noLeader(topic: string, partition: number): Error {
  return Object.assign(new Error(`${topic}, partition ${partition}, has no leader`), {
    name: 'KafkaJSProtocolError',
    type: 'LEADER_NOT_AVAILABLE',
  });
}

function isTrust(error: unknown): boolean {
  const code = codeOf(error);
  return TRUST.test(code) || CLIENT_CERTIFICATE.test(code);
}

/**
 * @param doing the failed action, such as `reading transactions`
 * @returns the error for the user; unchanged if it does not come from Kafka
 */
export function userError(error: unknown, doing: string): unknown {
  if (error instanceof ScoreBatchError) return error;
  const type = typeOf(error);
  const { name, message } = innermost(error);
  if (name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') {
    return new ScoreBatchError('permission', `Kafka refused the user or password while ${doing}`, {
      hint: 'check username, password and mechanism under kafka.sasl in the job file',
      cause: error,
    });
  }
  if (type?.endsWith('AUTHORIZATION_FAILED')) {
    return new ScoreBatchError('permission', `Kafka does not permit ${doing} (${type})`, { hint: RIGHTS, cause: error });
  }
  if (
    type === 'UNSUPPORTED_SASL_MECHANISM' ||
    type === 'ILLEGAL_SASL_STATE' ||
    message.includes('SASL mechanism is not supported')
  ) {
    return new ScoreBatchError('configuration', 'Kafka does not offer the SASL mechanism of kafka.sasl', {
      hint: 'find out which mechanism the listener supports: plain, scram-sha-256 or scram-sha-512',
      cause: error,
    });
  }
  if (isTrust(error)) return trustError(error);
  if (name === 'KafkaJSServerDoesNotSupportApiKey' || type === 'UNSUPPORTED_VERSION') {
    return new ScoreBatchError('configuration', `this version of Kafka does not support ${doing}`, {
      hint: 'use Kafka 3.1 or newer, with transactions',
      cause: error,
    });
  }
  if (type === undefined && !name.startsWith('KafkaJS')) return error;
  const hint = type === undefined ? undefined : TO_CHANGE[type];
  if (hint !== undefined) {
    return new ScoreBatchError('configuration', `Kafka refused ${doing} (${type})`, { hint, cause: error });
  }
  if (type !== undefined && !isPassing(error)) {
    return new ScoreBatchError('unavailable', `Kafka answered ${type} while ${doing}: ${message}`, {
      hint: 'check the logs of the brokers',
      cause: error,
    });
  }
  return new ScoreBatchError('unavailable', `Kafka failed while ${doing}: ${message}`, {
    hint: 'check kafka.brokers in the job file, and that the brokers are running',
    cause: error,
  });
}

/** Hints for errors of Kafka that do not pass by themselves. */
const TO_CHANGE: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'create the topics in the job file that do not exist, or correct their names',
  INVALID_TOPIC_EXCEPTION: 'correct the names of the topics in the job file',
  OFFSET_METADATA_TOO_LARGE: 'set offset.metadata.max.bytes on the brokers to 4096 or more',
  INVALID_TRANSACTION_TIMEOUT: 'set transaction.max.timeout.ms on the brokers to 30000 or more',
  INVALID_SESSION_TIMEOUT:
    'set group.min.session.timeout.ms and group.max.session.timeout.ms on the brokers so that they include 10000',
  GROUP_MAX_SIZE_REACHED: 'raise group.max.size on the brokers, or run fewer processes',
  INVALID_GROUP_ID: 'correct `group` in the job file',
  INCONSISTENT_GROUP_PROTOCOL: 'set `group` in the job file to a name that no other job uses',
  POLICY_VIOLATION: 'ask the administrators of the brokers: a policy of theirs forbids it',
  UNSUPPORTED_COMPRESSION_TYPE: 'set kafka.compression in the job file to a codec that the topics accept',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'use message format 2, of Kafka 0.11, for the topics',
  INVALID_REQUIRED_ACKS: 'configure the output topics to accept `acks=all`',
  INVALID_TIMESTAMP:
    'raise message.timestamp.before.max.ms and message.timestamp.after.max.ms of the output topics, or correct the clock',
  INVALID_RECORD: 'check the settings of the output topics: they must not be compacted where records have no key',
};

const RIGHTS =
  'give the user Read on the input topic and the group, Write on the output topics, Write and Describe on the transactional ids, and DescribeConfigs on the topics';

function trustError(error: unknown): ScoreBatchError {
  const { message } = innermost(error);
  if (CLIENT_CERTIFICATE.test(codeOf(error))) {
    return new ScoreBatchError('permission', 'Kafka refused the certificate of this client', {
      hint: 'set kafka.tls.cert and kafka.tls.key in the job file to a certificate that the brokers trust',
      cause: error,
    });
  }
  return new ScoreBatchError('configuration', `the certificate of a broker is not trusted: ${message}`, {
    hint: 'set kafka.tls.ca in the job file to the CA that signed the certificate, and address the broker by a name in the certificate',
    cause: error,
  });
}

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

export function isUnknownTopic(error: unknown): boolean {
  return !(error instanceof ScoreBatchError) && typeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION';
}

export function missingTopic(topic: string, cause: unknown): ScoreBatchError {
  return new ScoreBatchError('configuration', `Kafka does not have the topic ${topic}`, {
    hint: 'create it, or correct its name',
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
      hint: 'check kafka.sasl of the job file: username, password and mechanism',
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
    return new ScoreBatchError('configuration', 'Kafka does not offer the mechanism of kafka.sasl', {
      hint: 'find out which mechanism the listener supports: plain, scram-sha-256 or scram-sha-512',
      cause: error,
    });
  }
  if (isTrust(error)) return trustError(error);
  if (name === 'KafkaJSServerDoesNotSupportApiKey' || type === 'UNSUPPORTED_VERSION') {
    return new ScoreBatchError('configuration', `this Kafka cannot do what ${doing} needs`, {
      hint: 'use a Kafka of version 3.1 or newer, with transactions',
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
      hint: 'the log of the brokers says more',
      cause: error,
    });
  }
  return new ScoreBatchError('unavailable', `Kafka failed while ${doing}: ${message}`, {
    hint: 'check kafka.brokers of the job file, and that the brokers are running',
    cause: error,
  });
}

/** Hints for errors of Kafka that do not pass by themselves. */
const TO_CHANGE: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'one of the topics of the job file does not exist: create it, or correct its name',
  INVALID_TOPIC_EXCEPTION: 'correct the names of the topics in the job file',
  OFFSET_METADATA_TOO_LARGE: 'set offset.metadata.max.bytes of the brokers to 4096 or more',
  INVALID_TRANSACTION_TIMEOUT: 'set transaction.max.timeout.ms of the brokers to 30000 or more',
  INVALID_SESSION_TIMEOUT: 'let group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers include 10000',
  GROUP_MAX_SIZE_REACHED: 'set group.max.size of the brokers to more, or run fewer processes',
  INVALID_GROUP_ID: 'correct `group` of the job file',
  INCONSISTENT_GROUP_PROTOCOL: 'set `group` of the job file to a name that no other job has',
  POLICY_VIOLATION: 'the brokers have a policy against it: ask who runs them',
  UNSUPPORTED_COMPRESSION_TYPE: 'set kafka.compression of the job file to a codec that the topics take',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'let the topics have the message format 2, of Kafka 0.11',
  INVALID_REQUIRED_ACKS: 'let the output topics take `acks=all`',
  INVALID_TIMESTAMP:
    'set message.timestamp.before.max.ms and message.timestamp.after.max.ms of the output topics to more, or the clock right',
  INVALID_RECORD: 'the output topics take other records: they must not be compacted where records have no key',
};

const RIGHTS =
  'the user needs Read on the input topic and the group, Write on the output topics, Write and Describe on its transactional ids, and DescribeConfigs on the topics';

function trustError(error: unknown): ScoreBatchError {
  const { message } = innermost(error);
  if (CLIENT_CERTIFICATE.test(codeOf(error))) {
    return new ScoreBatchError('permission', 'Kafka refused the certificate of this client', {
      hint: 'set kafka.tls.cert and kafka.tls.key of the job file to a certificate that the brokers trust',
      cause: error,
    });
  }
  return new ScoreBatchError('configuration', `the certificate of a broker is not trusted: ${message}`, {
    hint: 'set kafka.tls.ca of the job file to the authority that signed it, and use the name that is in it',
    cause: error,
  });
}

import { counted } from '../../domain/counted.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { Log, TopicFacts } from '../log.ts';
import type { StreamSettings } from '../settings.ts';

/** What a broker adds to a record: headers of the record and its batch. */
const OVERHEAD_BYTES = 512;
/** More than a dead letter takes: hashes, digests, a reason and a field's name. */
const DEAD_LETTER_BYTES = 4096;

interface Topic {
  /** Its key in the stream job file. */
  readonly key: string;
  readonly name: string;
  readonly facts: TopicFacts | undefined;
}

/** Facts about the output topics. */
export interface OutputTopics {
  /** Most bytes of a record's key and value; undefined if unknown. */
  mostBytes(topic: string): number | undefined;
}

/**
 * Checks that the topics exist and keep what is written to them. The flow checks what windows need of the input.
 *
 * @throws ScoreBatchError `configuration` with every missing topic
 */
export async function checkTopics(
  log: Pick<Log, 'describe' | 'brokers'>,
  { input, output, kafka }: Pick<StreamSettings, 'input' | 'output' | 'kafka'>,
  warn: (message: string) => void,
): Promise<OutputTopics> {
  const named = [
    { key: 'input', name: input },
    { key: 'output.scores', name: output.scores },
    { key: 'output.dead_letter', name: output.deadLetter },
    ...(output.alerts === undefined ? [] : [{ key: 'output.alerts', name: output.alerts }]),
  ];
  return await describeTopics(log, named, kafka.brokers, warn);
}

/**
 * The same for topics that are not named in the job file.
 *
 * @param named the input, under the key `input`, and the outputs
 */
export async function describeTopics(
  log: Pick<Log, 'describe' | 'brokers'>,
  named: readonly { readonly key: string; readonly name: string }[],
  brokers: readonly string[],
  warn: (message: string) => void,
): Promise<OutputTopics> {
  const topics: Topic[] = await Promise.all(named.map(async (one) => ({ ...one, facts: await log.describe(one.name) })));
  await refuseMissing(log, topics, brokers);
  for (const { key, name, facts } of topics) {
    if (facts === undefined || key === 'input') continue;
    if (key === 'output.dead_letter' && (facts.maxMessageBytes ?? DEAD_LETTER_BYTES) < DEAD_LETTER_BYTES) {
      throw new ScoreBatchError(
        'configuration',
        `topic ${name} (${key}) accepts records of up to ${facts.maxMessageBytes} bytes, but a dead letter can have ${DEAD_LETTER_BYTES}`,
        { hint: `raise its max.message.bytes to ${DEAD_LETTER_BYTES} or more` },
      );
    }
    if (facts.compacted) warn(`topic ${name} (${key}) is compacted: it keeps only the newest record of each key`);
    if (facts.replicas > 1 && (facts.minInSyncReplicas ?? 1) < 2)
      warn(`topic ${name} (${key}) has min.insync.replicas 1: a record that only one broker has is lost with that broker`);
  }
  const most = new Map(topics.map(({ name, facts }) => [name, facts?.maxMessageBytes]));
  return {
    mostBytes(topic) {
      const bytes = most.get(topic);
      return bytes === undefined ? undefined : Math.max(0, bytes - OVERHEAD_BYTES);
    },
  };
}

async function refuseMissing(log: Pick<Log, 'brokers'>, topics: readonly Topic[], brokers: readonly string[]): Promise<void> {
  const missing = topics.filter(({ facts }) => facts === undefined);
  if (missing.length === 0) return;
  const known = topics.find(({ facts }) => facts !== undefined)?.facts;
  const partitions = known?.partitions.length ?? 12;
  // Kafka refuses more replicas than brokers.
  const replicas = known?.replicas ?? Math.min(3, Math.max(1, await log.brokers()));
  const safe = replicas > 1 ? ' --config min.insync.replicas=2' : '';
  const create = missing.map(
    ({ name }) =>
      `kafka-topics.sh --bootstrap-server ${brokers[0] ?? ''} --create --topic ${name} --partitions ${partitions} --replication-factor ${replicas}${safe}`,
  );
  const names = missing.map(({ key, name }) => `${name} (${key})`);
  throw new ScoreBatchError(
    'configuration',
    names.length === 1
      ? `the topic ${names.join()} does not exist`
      : `${counted(names.length, 'topic')} of the job do not exist: ${names.join(', ')}`,
    { hint: `correct the name, or create what is missing: \`${create.join('`, `')}\`` },
  );
}

import { execFile, spawn } from 'node:child_process';
import { kafkaClassPath } from './jars.ts';

/** How long a partition must have brought nothing before all of it counts as read. */
const QUIET_MS = 5_000;
/** The same where it is known how many records there are: brokers may be electing a leader. */
const LONGEST_MS = 60_000;
const BUFFER = 1 << 30;
const JAVA = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** A record as Kafka's own client reads it. */
export interface JavaRecord {
  readonly partition: number;
  readonly offset: number;
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** Null if there is none. */
  readonly key: string | null;
  readonly value: string | null;
}

export interface ReadOptions {
  /** Ends once so many are read, instead of after a pause. */
  readonly count?: number;
  readonly quietMs?: number;
  readonly uncommitted?: boolean;
}

/**
 * All committed records of a topic, read by Kafka's console consumer: a client that has nothing in common with ours. Keys and values
 * must be text without tabs and line breaks.
 */
export async function readCommitted(
  brokers: readonly string[],
  topic: string,
  options: ReadOptions = {},
): Promise<JavaRecord[]> {
  const shown = ['timestamp', 'partition', 'offset', 'key'].flatMap((one) => ['--formatter-property', `print.${one}=true`]);
  const output = await java('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', brokers.join(','), '--topic', topic, '--from-beginning'],
    ...['--isolation-level', options.uncommitted ? 'read_uncommitted' : 'read_committed'],
    ...['--timeout-ms', `${options.quietMs ?? (options.count === undefined ? QUIET_MS : LONGEST_MS)}`],
    ...(options.count === undefined ? [] : ['--max-messages', `${options.count}`]),
    ...shown,
  ]);
  return output.split('\n').flatMap((line) => {
    const [time, partition, offset, key, ...value] = line.split('\t');
    if (time === undefined || partition === undefined || offset === undefined || key === undefined) return [];
    return {
      partition: Number(partition.slice('Partition:'.length)),
      offset: Number(offset.slice('Offset:'.length)),
      timestamp: Number(time.slice(time.indexOf(':') + 1)),
      key: key === 'null' ? null : key,
      value: value.join('\t') === 'null' ? null : value.join('\t'),
    };
  });
}

/** Writes records with Kafka's console producer. Keys and values must be text without tabs and line breaks. */
export async function javaProduce(
  brokers: readonly string[],
  topic: string,
  records: readonly { readonly key: string; readonly value: string }[],
  compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd',
): Promise<void> {
  await java(
    'org.apache.kafka.tools.ConsoleProducer',
    [
      ...['--bootstrap-server', brokers.join(','), '--topic', topic, '--compression-codec', compression],
      ...['--reader-property', 'parse.key=true', '--command-property', 'linger.ms=50'],
    ],
    records.map(({ key, value }) => `${key}\t${value}\n`).join(''),
  );
}

async function java(name: string, args: readonly string[], input?: string): Promise<string> {
  const command = [...JAVA, '-cp', await kafkaClassPath(), name, ...args];
  if (input === undefined) {
    return new Promise((resolve, reject) => {
      execFile('java', command, { maxBuffer: BUFFER }, (error, stdout, stderr) => {
        // The console consumer ends with an error once its time is up: what it read is complete then.
        if (error !== null && !/Processed a total of|TimeoutException/.test(stderr)) reject(new Error(stderr || error.message));
        else resolve(stdout);
      });
    });
  }
  const child = spawn('java', command, { stdio: ['pipe', 'ignore', 'pipe'] });
  let problems = '';
  child.stderr.on('data', (text) => {
    problems += text;
  });
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0 || /ERROR|Exception/.test(problems)) throw new Error(problems);
  return '';
}

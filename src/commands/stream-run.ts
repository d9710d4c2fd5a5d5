import type { Context } from '../context.ts';
import { ScoreBatchError } from '../errors.ts';
import { openFileAttributes } from '../stream/process/file-attributes.ts';
import { runFile } from '../stream/process/run-file.ts';
import type { StreamSettings } from '../stream/settings.ts';
import type { JobFlags } from './options.ts';
import { locatedSettings } from './stream-settings.ts';

export interface StreamFlags extends JobFlags {
  readonly events?: string;
  readonly out?: string;
  readonly deadLetter?: string;
  readonly alerts?: string;
  readonly attributes?: string;
  readonly partitions?: number;
  readonly start?: 'earliest' | 'latest';
  readonly acceptNewGroup?: boolean;
  readonly acceptFeatures?: boolean;
}

/** Flags that only make sense with, or without, `--events`. */
const OF_FILE = ['out', 'deadLetter', 'alerts', 'attributes', 'partitions'] as const;
const OF_TOPIC = ['start', 'acceptNewGroup', 'acceptFeatures'] as const;

/** Scores events: of a topic until a signal ends it, or of a file. */
export async function streamCommand(flags: StreamFlags, context: Context): Promise<void> {
  refuseStray(flags);
  refuseUnsaidStart(flags);
  const { folder, environment, console, signal, serving, subject } = context;
  const { events, out, deadLetter, alerts, partitions = 1, start = 'latest' } = flags;
  const { acceptNewGroup = false, acceptFeatures = false } = flags;
  const hashKey = environment.SCORE_BATCH_HASH_KEY || undefined;
  const read = async (): Promise<StreamSettings> => {
    const settings = await locatedSettings(flags.job, context);
    subject.job = settings.name;
    return settings;
  };
  if (events === undefined) {
    // Loaded here, because a file of events needs no Kafka client.
    const { runStream } = await import('../stream/process/run-stream.ts');
    await runStream({ read, start, acceptNewGroup, acceptFeatures, hashKey, environment, console, signal, serving });
    return;
  }
  const settings = await read();
  const attributes = await openFileAttributes({
    ...{ settings, file: flags.attributes, folder, environment, signal },
    warn: console.warn,
    onFailure: (error) => console.warn(String(error)),
  });
  try {
    await runFile({ settings, events, out, deadLetter, alerts, partitions, folder, attributes, hashKey, console, signal });
  } finally {
    await attributes?.close();
  }
}

function refuseStray(flags: StreamFlags): void {
  const [wrong, hint] =
    flags.events === undefined
      ? [OF_FILE, 'add --events to score the events of a file']
      : [OF_TOPIC, 'remove it: the events of a file are read from the start, and nothing is committed'];
  const stray = wrong.find((name) => flags[name] !== undefined);
  if (stray === undefined) return;
  const flag = `--${stray.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new ScoreBatchError('usage', `${flag} cannot be used ${flags.events === undefined ? 'without' : 'with'} --events`, {
    hint,
  });
}

/** Either doubles scores or leaves events out, so that nothing is the default. */
function refuseUnsaidStart({ acceptNewGroup, start }: StreamFlags): void {
  if (acceptNewGroup !== true || start !== undefined) return;
  throw new ScoreBatchError('usage', '--accept-new-group needs --start', {
    hint: 'say where the group begins: --start earliest scores everything that the input still has, --start latest only what arrives from now on',
  });
}

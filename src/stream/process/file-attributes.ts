import { ScoreBatchError } from '../../errors.ts';
import { horizonMs } from '../../event-features/definition.ts';
import type { Attributes } from '../attributes.ts';
import type { Log } from '../log.ts';
import type { StreamSettings } from '../settings.ts';
import { readAttributesFile } from './attributes-file.ts';

interface Given {
  readonly settings: StreamSettings;
  /** `--attributes` */
  readonly file: string | undefined;
  /** Working folder. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Events from a file need no broker. */
const NO_LOG: Log = {
  describe: refuse,
  brokers: refuse,
  offsetAt: refuse,
  subscribe: refuse,
  openProducer: refuse,
  read: refuse,
  close: async () => undefined,
};

/**
 * Attributes for events of a file: a warehouse's as it has them now, a topic's from another file.
 *
 * @throws ScoreBatchError as `openAttributes`; `usage` if the file is missing, or nothing needs it
 */
export async function openFileAttributes(given: Given): Promise<Attributes | undefined> {
  const { settings, file, folder, environment, signal, warn, onFailure } = given;
  const { attributes, features, limits, name, root } = settings;
  if (file !== undefined) return await readAttributesFile(settings, file, folder);
  if (attributes === undefined) return undefined;
  if ('topic' in attributes) {
    throw new ScoreBatchError(
      'usage',
      `the attributes of ${name} come from the topic ${attributes.topic}, but --events does not read from Kafka`,
      {
        hint: 'use --attributes FILE with a JSON object per key',
      },
    );
  }
  const { openAttributes } = await import('../attributes/open.ts');
  return await openAttributes(attributes, {
    job: name,
    root,
    environment,
    log: NO_LOG,
    horizonMs: horizonMs(features),
    limits: { rows: limits.attributeRows, bytes: limits.attributeBytes ?? 2 ** 30 },
    need: undefined,
    signal,
    warn,
    onFailure,
  });
}

function refuse(): never {
  throw new Error('a file of events has no log');
}

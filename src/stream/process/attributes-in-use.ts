import { counted } from '../../domain/counted.ts';
import { horizonMs } from '../../event-features/definition.ts';
import type { Console } from '../../terminal/console.ts';
import { openAttributes } from '../attributes/open.ts';
import type { Attributes } from '../attributes.ts';
import type { Log } from '../log.ts';
import type { StreamSettings } from '../settings.ts';

interface Around {
  readonly log: Log;
  readonly environment: NodeJS.ProcessEnv;
  readonly console: Pick<Console, 'info' | 'warn'>;
  readonly signal: AbortSignal;
  /** Called if they can no longer be followed. */
  readonly fail: (error: unknown) => void;
}

/** Reads the attributes of a stream job, and keeps them up to date. @returns undefined if it has none */
export async function attributesInUse(
  { attributes, features, limits, name, root }: StreamSettings,
  { log, environment, console, signal, fail }: Around,
): Promise<Attributes | undefined> {
  if (attributes === undefined) return undefined;
  const opened = await openAttributes(attributes, {
    ...{ job: name, root, environment, log, signal, onFailure: fail },
    horizonMs: horizonMs(features),
    limits: { rows: limits.attributeRows, bytes: limits.attributeBytes ?? Number.POSITIVE_INFINITY },
    need: undefined,
    warn: (message) => console.warn(message),
  });
  console.info(`loaded attributes of ${counted(opened.rows, 'key')}`, {
    event: 'attributes',
    rows: opened.rows,
    bytes: opened.bytes,
  });
  return opened;
}

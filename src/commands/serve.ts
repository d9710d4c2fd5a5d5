import type { Context } from '../context.ts';
import { supervise } from '../serve/process/supervisor.ts';
import { readSettings, type ServeFlags } from '../serve/settings/read.ts';
import { type ModelFlags, sessionOptions } from './options.ts';

/** Flags as commander gives them; lists are texts. */
export interface ServeOptions extends Omit<ServeFlags, 'providers' | 'origins'>, ModelFlags {
  readonly origins?: string;
}

/** Answers requests until a signal ends it. SIGHUP reads settings and bundles again. */
export async function serveCommand(bundles: readonly string[], options: ServeOptions, context: Context): Promise<void> {
  const { providers, origins, ...rest } = options;
  const flags: ServeFlags = {
    ...rest,
    ...(providers !== undefined && { providers: sessionOptions({ providers }).providers }),
    ...(origins !== undefined && { origins: origins.split(',').map((origin) => origin.trim()) }),
  };
  const { folder, environment, console, signal, serving } = context;
  await supervise({
    read: () => readSettings({ bundles, flags, folder, environment }),
    json: environment.SCORE_BATCH_LOG === 'json',
    console,
    signal,
    serving,
  });
}

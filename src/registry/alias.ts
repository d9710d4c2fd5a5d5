import { ScoreBatchError } from '../errors.ts';
import { trackingServer } from './server.ts';
import { moveAlias, versionOfAlias } from './versions.ts';

export interface AliasMove {
  readonly name: string;
  readonly alias: string;
  /** The version that it is expected to point to. */
  readonly from: string;
  readonly to: string;
}

/**
 * Moves an alias to another version, if it still points to the expected one. MLflow cannot do both atomically: a move in
 * between is overwritten.
 *
 * @throws ScoreBatchError `conflict` if it points to a third version by now, otherwise as the registry does
 */
export async function promoteAlias(
  { name, alias, from, to }: AliasMove,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  const server = trackingServer(environment, signal);
  const now = await versionOfAlias(server, name, alias);
  if (now === to) return;
  if (now !== from) {
    throw new ScoreBatchError(
      'conflict',
      `the alias ${alias} of ${name} was ${now === undefined ? 'removed' : `moved to version ${now}`} in the meantime`,
      {
        hint: 'run `score-batch promote` again: it reads the current alias',
      },
    );
  }
  await moveAlias(server, { name, alias, version: to });
}

import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { readBounded } from '../../bounded-file.ts';
import { ScoreBatchError, systemCode, unreadable } from '../../errors.ts';
import { parseRegistry, type Registry } from './registry.ts';

const MOST = 2 ** 28;

/** Long, because Feast first imports half a gigabyte of packages. */
const TIMEOUT_MS = 300_000;

/**
 * The registry of a Feast repo: the output of `feast registry-dump` in its folder, or a file with it. Feast itself reads the
 * registry, wherever it is stored.
 *
 * @param place folder with feature_store.yaml, or JSON file
 * @throws ScoreBatchError `configuration` if there is none, or Feast cannot be run there
 */
export async function readRepo(place: string, environment: NodeJS.ProcessEnv): Promise<Registry> {
  const found = await stat(place).catch((cause: unknown) => {
    throw unreadable(place, cause, 'check the path after --feast');
  });
  if (!found.isDirectory())
    return parseRegistry((await readBounded(place, MOST, 'check the path after --feast')).toString(), place);
  try {
    const options = { cwd: place, env: environment, maxBuffer: MOST, timeout: TIMEOUT_MS };
    const { stdout } = await promisify(execFile)('feast', ['registry-dump'], options);
    return parseRegistry(stdout, place);
  } catch (error) {
    if (error instanceof ScoreBatchError) throw error;
    const missing = systemCode(error) === 'ENOENT';
    const { stderr = '' } = error as { readonly stderr?: string };
    const last = stderr.trimEnd().split('\n').at(-1) ?? '';
    throw new ScoreBatchError(
      'configuration',
      missing ? 'the command feast is not installed on this machine' : `\`feast registry-dump\` failed in ${place}`,
      {
        details: last === '' ? [] : [last],
        hint: 'run `feast -c REPO registry-dump > registry.json` where Feast is installed, and use --feast registry.json',
        cause: error,
      },
    );
  }
}

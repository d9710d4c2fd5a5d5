import { ScoreBatchError } from '../errors.ts';
import type { TrackingServer } from './server.ts';

const PROXY = '/api/2.0/mlflow-artifacts/artifacts';

/** How to set up a registry with readable artifacts. */
const SERVED =
  'start the tracking server with --serve-artifacts and an --artifacts-destination, so that it serves artifacts itself';

/**
 * The path of a model's artifacts below the tracking server's artifact root, from the registry's URI.
 *
 * @throws ScoreBatchError `configuration` if they are elsewhere: in a bucket, on a disk, on another server
 */
export function artifactRoot(uri: string, { base }: TrackingServer): string {
  const [, scheme = '', rest = ''] = /^([a-z][\w+.-]*):(.*)$/is.exec(uri) ?? [];
  if (scheme === 'mlflow-artifacts') {
    const [, host = '', path = ''] = /^(?:\/\/([^/]*))?\/*(.*)$/s.exec(rest) ?? [];
    if (host !== '' && host !== new URL(base).host && host !== new URL(base).hostname)
      throw elsewhere('the artifacts of the model are on another server than the registry');
    return insidePath(path);
  }
  if (uri.startsWith(`${base}${PROXY}/`)) return insidePath(decoded(uri.slice(base.length + PROXY.length + 1)));
  const where = /^[a-z][\w+.-]{0,20}$/i.test(scheme) ? `under ${scheme}:` : 'in a folder';
  throw elsewhere(`the artifacts of the model are ${where}, where only clients with access to it can read them`);
}

/** @throws ScoreBatchError `configuration` for an invalid `%` escape */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new ScoreBatchError(
      'configuration',
      `the registry names an artifact ${JSON.stringify(path.slice(0, 100))}, which is not encoded correctly`,
      {
        hint: 'nothing was read; check what the registry has under this version',
      },
    );
  }
}

/** Address of an artifact on the server. @param root see `artifactRoot` @param path of a file below it */
export function artifactUrl(root: string, path: string): string {
  return `${PROXY}/${`${root}/${path}`.split('/').map(encodeURIComponent).join('/')}`;
}

/** Address for listing a folder of artifacts. */
export const LISTING = PROXY;

/**
 * Returns an artifact path unchanged if it is safe: relative, without `..`, of printable names.
 *
 * @throws ScoreBatchError `configuration` if it is not
 */
export function insidePath(path: string): string {
  const parts = path.split('/');
  const safe =
    path.length <= 1024 &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\p{C}]|^[a-z]:/iu.test(part));
  if (safe) return path;
  throw new ScoreBatchError(
    'configuration',
    `the registry names an artifact ${JSON.stringify(path.slice(0, 100))}, a path that leads out of the model`,
    {
      hint: 'nothing was read; check what the registry has under this version',
    },
  );
}

function elsewhere(message: string): ScoreBatchError {
  return new ScoreBatchError('configuration', message, { hint: SERVED });
}

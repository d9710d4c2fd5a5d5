import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError, systemCode } from '../../errors.ts';
import { registerSecretsIn } from '../../secrets.ts';

/**
 * Reads the file from which Google's library will take its credentials, before the library does: what its parsers say of a
 * broken one quotes it. What the file keeps secret is masked from then on.
 *
 * @throws ScoreBatchError `permission` where there is such a file and it cannot be used
 */
export async function checkKeyFile(environment: NodeJS.ProcessEnv): Promise<void> {
  const { GOOGLE_APPLICATION_CREDENTIALS: named } = environment;
  const file = named || gcloudFile(environment);
  if (file === undefined) return;
  const refused = (what: string, cause?: unknown) =>
    new ScoreBatchError('permission', `${named ? 'the file of GOOGLE_APPLICATION_CREDENTIALS' : file} cannot be used`, {
      details: [`${file} ${what}`],
      hint: named
        ? 'set it to the JSON file of a service account or of an impersonation, or unset it'
        : 'run `gcloud auth application-default login` to write it anew',
      cause,
    });
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw refused(`cannot be read (${systemCode(error)})`, error);
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw refused('is not JSON');
  }
  if (typeof content !== 'object' || content === null) throw refused('is not a file of credentials');
  registerSecretsIn(content);
  const { type, private_key: key } = content as { readonly type?: unknown; readonly private_key?: unknown };
  if (typeof type !== 'string') throw refused('has no "type", so it is not a file of credentials');
  if (type !== 'service_account') return;
  if (typeof key !== 'string') throw refused('has no "private_key"');
  try {
    createPrivateKey(key);
  } catch {
    throw refused('has a "private_key" that is not a private key in PEM form');
  }
}

/** Where gcloud leaves what `application-default login` got; undefined where there is none. */
function gcloudFile({ APPDATA, HOME }: NodeJS.ProcessEnv): string | undefined {
  const folder = process.platform === 'win32' ? APPDATA : HOME && path.join(HOME, '.config');
  const file = folder && path.join(folder, 'gcloud', 'application_default_credentials.json');
  return file && existsSync(file) ? file : undefined;
}

import { createPrivateKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError, systemCode } from '../../errors.ts';
import { registerSecretsIn } from '../../secrets.ts';

/**
 * Checks the credentials file before Google's library reads it, because the library's parse errors quote the file. Registers
 * the file's secrets, so that messages mask them.
 *
 * @throws ScoreBatchError `permission` if the file exists but cannot be used
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
        : 'run `gcloud auth application-default login` to write it again',
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
  if (typeof content !== 'object' || content === null) throw refused('is not a credentials file');
  registerSecretsIn(content);
  const { type, private_key: key } = content as { readonly type?: unknown; readonly private_key?: unknown };
  if (typeof type !== 'string') throw refused('has no "type", so it is not a credentials file');
  if (type !== 'service_account') return;
  if (typeof key !== 'string') throw refused('has no "private_key"');
  try {
    createPrivateKey(key);
  } catch {
    throw refused('has a "private_key" that is not a private key in PEM form');
  }
}

/** The file that `gcloud auth application-default login` writes; undefined if there is none. */
function gcloudFile({ APPDATA, HOME }: NodeJS.ProcessEnv): string | undefined {
  const folder = process.platform === 'win32' ? APPDATA : HOME && path.join(HOME, '.config');
  const file = folder && path.join(folder, 'gcloud', 'application_default_credentials.json');
  return file && existsSync(file) ? file : undefined;
}

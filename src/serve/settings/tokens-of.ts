import { createHash } from 'node:crypto';
import { readBounded } from '../../bounded-file.ts';
import { ScoreBatchError } from '../../errors.ts';
import { registerSecret } from '../../secrets.ts';

/** Shorter ones could be guessed. */
const SHORTEST = 16;

const LIMIT = 2 ** 20;

const TOKEN_VARIABLE = 'SCORE_BATCH_SERVE_TOKEN';

/**
 * SHA-256 of every bearer token, hex: those in the file, one per line, and the one in SCORE_BATCH_SERVE_TOKEN. Messages mask
 * them from now on.
 *
 * @throws ScoreBatchError `configuration` if a source of tokens is named but empty, or a token is unusable
 */
export async function tokensOf(file: string | undefined, environment: NodeJS.ProcessEnv): Promise<string[]> {
  const variable = environment[TOKEN_VARIABLE];
  const tokens = [
    ...(file === undefined ? [] : await fromFile(file)),
    ...(variable === undefined ? [] : [{ place: TOKEN_VARIABLE, token: variable.trim() }]),
  ];
  for (const { place, token } of tokens) {
    registerSecret(token);
    if (token.length < SHORTEST) {
      throw new ScoreBatchError('configuration', `${place}: a token needs at least ${SHORTEST} characters`, {
        hint: 'create one with `openssl rand -hex 32`',
      });
    }
    // Characters allowed in the header `Authorization: Bearer …`; RFC 6750, section 2.1.
    if (!/^[\w.~+/-]+=*$/.test(token)) {
      throw new ScoreBatchError('configuration', `${place}: a token may have only letters, digits and -._~+/`, {
        hint: 'create one with `openssl rand -hex 32`',
      });
    }
  }
  return [...new Set(tokens.map(({ token }) => createHash('sha256').update(token).digest('hex')))];
}

async function fromFile(file: string): Promise<{ readonly place: string; readonly token: string }[]> {
  const text = (await readBounded(file, LIMIT, 'check the path of the token file')).toString('utf8');
  const tokens = text
    .split(/\r?\n/)
    .map((line, at) => ({ place: `${file}:${at + 1}`, token: line.trim() }))
    .filter(({ token }) => token !== '' && !token.startsWith('#'));
  // An empty file would let everybody in.
  if (tokens.length > 0) return tokens;
  throw new ScoreBatchError('configuration', `${file} has no token`, { hint: 'write one token per line' });
}

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toParts } from '../src/error-parts.ts';
import { ScoreBatchError } from '../src/errors.ts';
import { registerSecret, registerSecretsIn, registerSecretsOf, withoutSecrets } from '../src/secrets.ts';
import { createConsole } from '../src/terminal/console.ts';

const LINES = ['MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', 'BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj'];
const PEM = `-----BEGIN PRIVATE KEY-----\n${LINES.join('\n')}\n-----END PRIVATE KEY-----\n`;

it('masks each line of a key, and the key as JSON, as a part of an address and as base64', () => {
  registerSecretsIn({ type: 'service_account', private_key: PEM, private_key_id: 'an id', token_uri: 'https://host/token' });
  for (const form of [...LINES, JSON.stringify(PEM), encodeURIComponent(PEM), Buffer.from(PEM.trim()).toString('base64')]) {
    const masked = withoutSecrets(`it says ${form} here`);
    for (const line of LINES) expect(masked).not.toContain(line.slice(0, 12));
    expect(masked).toMatch(/^it says .* here$/s);
  }
  expect(withoutSecrets('-----BEGIN PRIVATE KEY----- of an id at https://host/token')).toBe(
    '-----BEGIN PRIVATE KEY----- of an id at https://host/token',
  );
});

it('masks what the environment keeps, and the password of a proxy as a proxy is told it', () => {
  registerSecretsOf({
    SCORE_BATCH_HASH_KEY: 'hash-key-e7f6',
    SNOWFLAKE_USER: 'jo',
    HTTPS_PROXY: 'http://jo:pass%2Fword@proxy:3128',
  });
  const told = Buffer.from('jo:pass/word').toString('base64');
  expect(withoutSecrets(`jo hash-key-e7f6 pass%2Fword pass/word ${told}`)).toBe('jo [secret] [secret] [secret] [secret]');
});

it('masks any secret in whatever text, and leaves texts without one alone', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 8, unit: 'binary-ascii' }), fc.string(), fc.string(), (secret, before, after) => {
      fc.pre(secret.trim().length >= 8 && !/\\n|[\r\n]/.test(secret));
      registerSecret(secret);
      expect(withoutSecrets(`${before}${secret}${after}`)).not.toContain(secret.trim());
      expect(withoutSecrets(JSON.stringify({ message: secret }))).not.toContain(JSON.stringify(secret.trim()).slice(1, -1));
    }),
    { numRuns: 50 },
  );
});

it('what leaves a worker thread is masked there, the stack and the details too', () => {
  registerSecret('token-of-the-thread');
  const parts = toParts(new ScoreBatchError('permission', 'a token-of-the-thread', { details: ['b token-of-the-thread'] }));
  expect(JSON.stringify(parts)).not.toContain('token-of-the-thread');
  expect(parts).toMatchObject({ message: 'a [secret]', details: ['b [secret]'] });
  expect(JSON.stringify(toParts(new Error('token-of-the-thread')))).not.toContain('token-of-the-thread');
});

it.each([false, true])('what the console says is masked (as JSON: %s)', (json) => {
  registerSecret('say "no" to\\this');
  let written = '';
  const stream = { write: (text: string) => (written += text) } as unknown as NodeJS.WriteStream;
  createConsole({ verbosity: 'verbose', json, stream, subject: {} }).error('it is say "no" to\\this', {
    details: ['say "no" to\\this'],
  });
  expect(written).toContain('[secret]');
  expect(written).not.toContain('no');
});

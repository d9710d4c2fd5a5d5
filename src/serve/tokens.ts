import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether the value of an `authorization` header or gRPC metadata entry is `Bearer` and one of the tokens. Compares
 * fixed-length digests, all of them and each in constant time, so that response times reveal nothing about a token.
 *
 * @param digests SHA-256 of each token, hex
 */
export function isAuthorized(header: string | undefined, digests: readonly string[]): boolean {
  const [, token] = /^bearer +(\S+) *$/i.exec(header ?? '') ?? [];
  const given = createHash('sha256')
    .update(token ?? '')
    .digest();
  let found = false;
  for (const digest of digests) {
    const known = Buffer.from(digest, 'hex');
    if (known.length === given.length && timingSafeEqual(known, given)) found = true;
  }
  return found && token !== undefined;
}

import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether the value of an `authorization` header, or of gRPC's metadata of that name, is `Bearer` and one of the tokens. Digests of one
 * length are compared, all of them and each in constant time, so that the time of an answer tells nothing of a token.
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

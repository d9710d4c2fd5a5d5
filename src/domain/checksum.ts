// A key's hash has 60 bits, and a chunk's checksum is the sum of its keys' hashes. Warehouses sum the upper and the lower half
// of the bits each for itself: no such sum leaves 64 bits, which is as far as every one of them counts exactly.

export const HALF = 2 ** 30;

/**
 * How keys are hashed into checksums and chunks: `md5` is computed alike by every warehouse; `native` is one's own, many times
 * cheaper, where what was frozen and what was staged are counted by the same. A warehouse without one of its own takes MD5.
 */
export type KeyHash = 'md5' | 'native';

/** @param high sum of the hashes' upper 30 bits, @param low sum of the lower ones. @returns their sum, decimal */
export function checksumOf(high: unknown, low: unknown): string {
  return String(BigInt(String(high ?? 0)) * BigInt(HALF) + BigInt(String(low ?? 0)));
}

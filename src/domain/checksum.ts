// A key's hash has 60 bits. A chunk's checksum is the sum of its keys' hashes. Warehouses sum the upper and the lower 30
// bits separately: each sum stays within 64 bits, the widest integer that all of them add exactly.

export const HALF = 2 ** 30;

/**
 * How keys are hashed into checksums and chunks. Every warehouse computes the same `md5`. `native` is the warehouse's own
 * hash: many times cheaper, but it works only if the same warehouse counts the frozen and the staged rows. A warehouse
 * without its own hash uses MD5.
 */
export type KeyHash = 'md5' | 'native';

/**
 * @param high sum of the hashes' upper 30 bits
 * @param low sum of their lower 30 bits
 * @returns the sum of the hashes, decimal
 */
export function checksumOf(high: unknown, low: unknown): string {
  return String(BigInt(String(high ?? 0)) * BigInt(HALF) + BigInt(String(low ?? 0)));
}

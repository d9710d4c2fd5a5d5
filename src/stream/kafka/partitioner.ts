const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** The partition that Kafka's Java clients choose for a key: murmur2. */
export function partitionOf(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

function murmur2(bytes: Buffer): number {
  const whole = bytes.length & ~3;
  let hash = SEED ^ bytes.length;
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), M);
    word = Math.imul(word ^ (word >>> 24), M);
    hash = Math.imul(hash, M) ^ word;
  }
  const rest = bytes.length - whole;
  if (rest > 2) hash ^= (bytes[whole + 2] as number) << 16;
  if (rest > 1) hash ^= (bytes[whole + 1] as number) << 8;
  if (rest > 0) hash = Math.imul(hash ^ (bytes[whole] as number), M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

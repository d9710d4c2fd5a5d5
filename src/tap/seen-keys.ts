/** Bits of a hash that select its flag. Two arrays of 32 MiB each hold the flags. */
const BITS = 28;
const MASK = 2 ** BITS - 1;
/** The number of flags: a hash modulo this is the position of its flag. */
export const KEY_BITS = 2 ** BITS;
/** Longest list of repeated positions: eight megabytes. */
const MAX_LISTED = 2 ** 21;

/**
 * The sum of the key hashes of a window, and which keys may occur more than once. One flag records that a hash was seen, another
 * that it was seen again. Different keys may share a flag, so suspects must be compared by value.
 */
export interface SeenKeys {
  /** @param hashes 60-bit hashes, two words each, the lower one first */
  see(hashes: Uint32Array, rows: number): void;
  /** Whether a key may occur more than once. @param low lower word of its hash */
  isSuspect(low: number): boolean;
  /** Number of keys whose flag was already set. */
  readonly suspects: number;
  /** The positions of their flags; undefined if the list would be too long. */
  readonly bits: Int32Array | undefined;
  /** Sum of the hashes, decimal; see `checksumOf`. */
  readonly checksum: string;
}

export function createSeenKeys(): SeenKeys {
  const seen = new Uint32Array(2 ** (BITS - 5));
  const again = new Uint32Array(2 ** (BITS - 5));
  let suspects = 0;
  let listed = new Int32Array(1_024);
  let sum = 0n;
  return {
    see(hashes, rows) {
      // The sum of 2048 words fits in the 53 bits of a number; the sum of all words would not.
      let low = 0;
      let high = 0;
      for (let row = 0; row < 2 * rows; row += 2) {
        const word = hashes[row] as number;
        low += word;
        high += hashes[row + 1] as number;
        const bit = word & MASK;
        const at = bit >>> 5;
        const flag = 1 << (bit & 31);
        const before = seen[at] as number;
        if ((before & flag) === 0) seen[at] = before | flag;
        else {
          if (suspects === listed.length && suspects < MAX_LISTED) listed = grow(listed);
          if (suspects < listed.length) listed[suspects] = bit;
          suspects += 1;
          again[at] = (again[at] as number) | flag;
        }
      }
      sum += BigInt(low) + (BigInt(high) << 32n);
    },
    isSuspect: (low) => ((again[(low & MASK) >>> 5] as number) & (1 << (low & MASK & 31))) !== 0,
    get suspects() {
      return suspects;
    },
    get bits() {
      return suspects > listed.length ? undefined : listed.subarray(0, suspects);
    },
    get checksum() {
      return String(sum);
    },
  };
}

function grow(values: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * values.length);
  larger.set(values);
  return larger;
}

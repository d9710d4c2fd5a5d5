/** Bits of a hash by which keys are told apart: 32 MiB for each of two arrays. */
const BITS = 28;
const MASK = 2 ** BITS - 1;
/** A hash without a remainder when it is divided by this has the bit 0. */
export const KEY_BITS = 2 ** BITS;
/** As many bits are listed: eight megabytes. */
const MAX_LISTED = 2 ** 21;

/**
 * What the hashes of the keys that enter say: their sum, and which of them may be there more than once. One bit per hash says that it
 * came, another one that it came again; two keys may share a bit, so that who shares one is looked at more closely.
 */
export interface SeenKeys {
  /** @param hashes of 60 bits, two words each, the lower one first */
  see(hashes: Uint32Array, rows: number): void;
  /** Whether a key of this hash may have come more than once. */
  isSuspect(low: number): boolean;
  /** How many keys came whose bit was set already. */
  readonly suspects: number;
  /** Their bits, as whole numbers; undefined where there are more than are worth a list. */
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
      // Sums of 2048 words fit the 53 bits of a number; sums of all of them would not.
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
          if (suspects === listed.length && suspects < MAX_LISTED) listed = grown(listed);
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

function grown(values: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * values.length);
  larger.set(values);
  return larger;
}

const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;
const LOW = 2 ** 27;

/** An exact sum of up to 2^26 integers within ±2^53, with adding and removing. */
export class Int64Sum {
  #count = 0;
  /** The sum is `high * 2^27 + low`; both are always exact. */
  #high = 0;
  #low = 0;

  clear(): void {
    this.#count = 0;
    this.#high = 0;
    this.#low = 0;
  }

  add(value: number): void {
    const high = Math.floor(value / LOW);
    this.#count += 1;
    this.#high += high;
    this.#low += value - high * LOW;
  }

  remove(value: number): void {
    const high = Math.floor(value / LOW);
    this.#count -= 1;
    this.#high -= high;
    this.#low -= value - high * LOW;
  }

  /** A number if safe, otherwise a bigint; null for no values, undefined beyond int64. */
  get sum(): number | bigint | null | undefined {
    if (this.#count === 0) return null;
    const near = this.#high * LOW + this.#low;
    if (Number.isSafeInteger(near)) return near;
    const sum = BigInt(this.#high) * BigInt(LOW) + BigInt(this.#low);
    return sum < LEAST || sum > GREATEST ? undefined : sum;
  }

  /** double(sum) / double(count); null for no values, undefined if the sum is beyond int64. */
  get mean(): number | null | undefined {
    const { sum } = this;
    return typeof sum === 'number' || typeof sum === 'bigint' ? Number(sum) / this.#count : sum;
  }
}

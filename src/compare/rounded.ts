/** Decimals of means, shares and their differences: as many as ten million users can determine. */
const DIGITS = 9;

/** A mean or share without the digits that only floating-point arithmetic made. */
export function rounded(value: number): number {
  return Number(value.toFixed(DIGITS));
}

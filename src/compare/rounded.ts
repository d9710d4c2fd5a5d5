/** Decimal places of means, shares and their differences: as many as ten million users can determine. */
const DIGITS = 9;

/** A mean or share without spurious digits from floating-point arithmetic. */
export function rounded(value: number): number {
  return Number(value.toFixed(DIGITS));
}

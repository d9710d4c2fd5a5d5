/**
 * The half-width factor of a two-sided interval by Student's t distribution: `P(|T| ≤ t) = confidence`.
 *
 * The probability is the exact finite series for whole degrees of freedom: Abramowitz and Stegun, Handbook of Mathematical
 * Functions, 26.7.3 and 26.7.4. It grows with t, so bisection finds t to the last digits.
 *
 * @param confidence above 0 and below 1, e.g. 0.9
 * @param degrees whole number, at least 1
 */
export function studentFactor(confidence: number, degrees: number): number {
  let [low, high] = [0, Math.PI / 2];
  // θ = arctan(t / √degrees) is bounded where t is not; 60 halvings exhaust a double.
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (withinAngle(middle, degrees) < confidence) low = middle;
    else high = middle;
  }
  return Math.sqrt(degrees) * Math.tan((low + high) / 2);
}

/** `P(|T| ≤ √degrees · tan θ)`. */
function withinAngle(theta: number, degrees: number): number {
  const cosine = Math.cos(theta);
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    // Odd: cos³ · 2/3, cos⁵ · 2·4/(3·5), …; even: cos² · 1/2, cos⁴ · 1·3/(2·4), …
    term *= (cosine * cosine * (k - 1)) / k;
    sum += term;
  }
  const tail = Math.sin(theta) * sum;
  return odd ? (2 / Math.PI) * (theta + tail) : tail;
}

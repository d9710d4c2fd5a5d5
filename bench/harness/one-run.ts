import { measure } from './measure.mjs';
import { faultOf } from './outcome.mjs';

/**
 * Runs a case and looks at its work, for what cannot go on without it.
 *
 * @param wanted what another case did that had the same to do
 * @param environment more of it
 * @throws Error where the run failed or did other work
 * @returns what was measured and what was published
 */
export async function runCase(one, rows, { wanted, environment = {} } = {}) {
  const { stdout, ...measured } = await measure({ ...one, environment: { ...one.environment, ...environment } });
  if (measured.problem !== undefined) throw new Error(`${one.name} ${measured.problem}`);
  const outcome = await one.outcome({ stdout });
  const fault = faultOf(outcome, rows, wanted);
  if (fault !== undefined) throw new Error(`${one.name} ${fault}`);
  return { ...measured, ...outcome };
}

/** The median with the least and the most. */
export function showSpread(numbers, digits) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const median = (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
  return `${median.toFixed(digits)} (${sorted[0].toFixed(digits)}–${sorted.at(-1).toFixed(digits)})`;
}

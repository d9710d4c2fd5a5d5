import { type Command, type Measures, measure } from './measure.ts';
import { faultOf, type Work } from './outcome.ts';

/** A case whose work can be inspected. */
interface Runnable<W extends Work> extends Command {
  readonly name: string;
  outcome(ran: { readonly stdout: string }): Promise<W>;
}

interface RunOptions {
  /** What another case with the same task did. */
  readonly wanted?: Work | undefined;
  /** Additional variables. */
  readonly environment?: Command['environment'];
}

/**
 * Runs a case and inspects its work, for callers that cannot continue without it.
 *
 * @throws Error if the run failed or did different work
 * @returns what was measured and what was published
 */
export async function runCase<W extends Work>(
  one: Runnable<W>,
  rows: number,
  { wanted, environment = {} }: RunOptions = {},
): Promise<Measures & W> {
  const measured = await measure({ ...one, environment: { ...one.environment, ...environment } });
  if (measured.problem !== undefined) throw new Error(`${one.name} ${measured.problem}`);
  const { stdout, problem: _, ...measures } = measured;
  const outcome = await one.outcome({ stdout });
  const fault = faultOf(outcome, rows, wanted);
  if (fault !== undefined) throw new Error(`${one.name} ${fault}`);
  return { ...measures, ...outcome };
}

/** The median with minimum and maximum. */
export function showSpread(numbers: readonly number[], digits: number): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (position: number) => sorted.at(position) ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return `${median.toFixed(digits)} (${at(0).toFixed(digits)}–${at(-1).toFixed(digits)})`;
}

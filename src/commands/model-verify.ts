import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { showExecution } from '../domain/execution.ts';
import type { VerifyOutput } from '../json/model.ts';
import { loadBundle } from '../model/bundle.ts';
import { verifyBundle } from '../model/verify.ts';
import { bundleArgument } from './bundle-argument.ts';
import { type ModelFlags, sessionOptions } from './options.ts';

/** Scores the golden rows and compares them with the expected scores; also alone, in reverse order, and among other rows. */
export async function verifyCommand(
  folder: string,
  flags: ModelFlags,
  context: Context,
): Promise<{ data: VerifyOutput; text: string }> {
  const bundle = await loadBundle(await bundleArgument(folder, context));
  const { execution, rows, largest, tolerance, proof } = await verifyBundle(bundle, sessionOptions(flags));
  const { name, version } = bundle.definition;
  const { provider } = execution;
  const more = showExecution(execution).map((line) => `\n${line}`);
  return {
    data: {
      name,
      version,
      digest: bundle.digest,
      provider,
      execution,
      rows,
      largest_difference: largest,
      tolerance,
      each_row_by_itself: {
        rows_alone: proof.alone,
        rows_among_others: proof.among,
        largest_difference: proof.largest,
        tolerance: proof.tolerance,
      },
    },
    text: `${name} ${version} on ${provider}: ${counted(rows, 'golden row agrees', 'golden rows agree')}, largest difference ${largest.toExponential(1)} (tolerance ${tolerance})${provider === 'cpu' && more.length === 1 ? '' : more.join('')}`,
  };
}

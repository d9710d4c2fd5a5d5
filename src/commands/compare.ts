import path from 'node:path';
import { LARGEST } from '../compare/compare-runs.ts';
import { type CheckedLimit, checkComparison } from '../compare/comparison.ts';
import { exceeded, showComparison } from '../compare/comparison-text.ts';
import type { Context } from '../context.ts';
import type { Comparison } from '../domain/comparison.ts';
import { ScoreBatchError } from '../errors.ts';
import { type Job, loadJob } from '../job/load.ts';
import type { CompareOutput } from '../json/compare.ts';
import type { CompareShadowOutput } from '../json/shadow.ts';
import { compareSides } from '../run/compare.ts';
import { alignTable } from '../terminal/table.ts';
import { bundleArgument } from './bundle-argument.ts';
import { compareShadowCommand } from './compare-shadow.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';
import { refuseBeside } from './switch-shadow.ts';

export interface CompareFlags extends JobFlags {
  readonly model?: string;
  readonly withJob?: string;
  readonly page?: string;
  readonly largest?: number;
  readonly shadow?: boolean;
}

export interface Compared {
  readonly data: CompareOutput | CompareShadowOutput;
  readonly text: string;
  /** The error to end with once the comparison is shown; undefined if it is within the limits. */
  readonly refusal: ScoreBatchError | undefined;
}

/**
 * Compares two windows, two runs, or a window with another model's scores for it, without changing anything; or the current
 * table with the batch, which the ledger records.
 */
export async function compareCommand(
  a: string | undefined,
  b: string | undefined,
  flags: CompareFlags,
  context: Context,
): Promise<Compared> {
  if (flags.shadow === true) {
    const others = { a: 'A', model: '--model', withJob: '--with-job', page: '--page', largest: '--largest' };
    refuseBeside({ ...flags, a }, others);
    return await compareShadowCommand(flags, context);
  }
  if (a === undefined) throw noSide();
  const other = await otherSide(b, flags, context);
  const job = await namedJob(flags, context);
  const { folder, environment } = context;
  const page = flags.page === undefined ? undefined : path.resolve(folder, flags.page);
  // Check before comparing, which can take long.
  if (page !== undefined) await refuseOther(page);
  const otherJob = flags.withJob === undefined ? undefined : await loadJob(flags.withJob, folder, environment);
  const comparison = await compareSides({ job, a, b: other, otherJob, largest: flags.largest ?? LARGEST }, context);
  const limits = checkComparison(comparison, job.definition.compare);
  if (page !== undefined) await writePage(page, comparison, { limits, job }, context);
  const beyond = exceeded(limits);
  for (const line of beyond) context.console.warn(line);
  return {
    data: { ...comparison, limits },
    text: showComparison(comparison, limits, alignTable),
    refusal:
      beyond.length === 0
        ? undefined
        : new ScoreBatchError('refused', 'the comparison violates limits under compare in the job file', {
            details: beyond,
          }),
  };
}

function noSide(): ScoreBatchError {
  return new ScoreBatchError('usage', 'compare needs two sides', {
    hint: 'name two windows or runs, as in `score-batch compare 2026-W45 2026-W46`; or use --shadow to compare slices with the batch',
  });
}

async function otherSide(
  b: string | undefined,
  { model, withJob }: CompareFlags,
  context: Context,
): Promise<string | { readonly model: string }> {
  if ((b === undefined) === (model === undefined)) {
    throw new ScoreBatchError('usage', b === undefined ? 'compare needs a second side' : 'B and --model cannot be combined', {
      hint: 'name two windows or runs, as in `score-batch compare 2026-W45 2026-W46`; or name one, and add --model models/churn-v2',
    });
  }
  if (model !== undefined && withJob !== undefined) {
    throw new ScoreBatchError('usage', '--model and --with-job cannot be combined: each says what B is', {
      hint: 'remove one of them',
    });
  }
  return b ?? { model: await bundleArgument(model ?? '', context) };
}

interface PageOf {
  readonly limits: readonly CheckedLimit[];
  readonly job: Job;
}

async function refuseOther(file: string): Promise<void> {
  const { refuseOtherFile } = await import('../compare/page-file.ts');
  await refuseOtherFile(file);
}

async function writePage(file: string, comparison: Comparison, { limits, job }: PageOf, { console }: Context): Promise<void> {
  const { comparisonPage } = await import('../compare/comparison-page.ts');
  const { replaceFile } = await import('../replaced-file.ts');
  await refuseOther(file);
  await replaceFile(file, comparisonPage(comparison, limits, job.definition.report), 'name another file with --page');
  console.info(`wrote ${file}`);
}

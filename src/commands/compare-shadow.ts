import type { Context } from '../context.ts';
import { ScoreBatchError } from '../errors.ts';
import type { CompareShadowOutput } from '../json/shadow.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { type ComparedShadow, compareShadow } from '../shadow/compare.ts';
import { shadowEvidence } from '../shadow/evidence.ts';
import { describeComparison, problemsOf } from '../shadow/sentences.ts';
import { demandShadow } from '../shadow/spec.ts';
import { localTime } from '../window/local-time.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';

/** Most comparisons to show. */
const SHOWN = 10;

const KEPT =
  'the compared rows are kept until the next comparison; if the batch is wrong, run its window again; otherwise run a slice with --snapshot';

export interface ComparedShadowOutput {
  readonly data: CompareShadowOutput;
  readonly text: string;
  /** The error to end with once the comparisons are shown; undefined if the newest is within limits. */
  readonly refusal: ScoreBatchError | undefined;
}

/** Compares the current table with the windows that the batch has published since, and shows the last comparisons. */
export async function compareShadowCommand(flags: JobFlags, context: Context): Promise<ComparedShadowOutput> {
  const job = await namedJob(flags, context);
  const spec = demandShadow(job.definition);
  const { sink, ledger, reachSink } = await openWarehouses(job, context);
  await reachSink();
  const compared = await compareShadow(job, { sink, ledger });
  const { comparisons, inRow } = shadowEvidence(await ledger.entries({ job: spec.slices, states: ['compared'] }));
  const shown = comparisons.slice(0, SHOWN).reverse();
  const needed = spec.shadow.comparisons;
  const lookAt = compared.made.flatMap(({ look }) => look);
  const [newest] = comparisons;
  const data = {
    ...{ job: spec.job, comparisons: shown, made: compared.made.map(({ comparison }) => comparison.window.label) },
    ...{ waiting: compared.waiting, in_row: inRow, needed, look_at: lookAt },
  };
  const lines = [
    ...(shown.length === 0 ? ['nothing to compare yet'] : shown.map(describeComparison)),
    ...waitingLines(compared, job.definition.time_zone),
    ...(shown.length === 0 ? [] : [`${inRow.length} of ${needed} comparisons in a row are within limits`]),
    ...lookAt.map((statement) => `query that shows the users: ${statement}`),
  ];
  if (newest === undefined || newest.within) return { data, text: lines.join('\n'), refusal: undefined };
  const problems = problemsOf(newest);
  for (const problem of problems) context.console.warn(`${newest.window.label}: ${problem}`);
  const what = `the current table and ${newest.window.label} of the batch do not agree`;
  return {
    data,
    text: [...lines, KEPT].join('\n'),
    refusal: new ScoreBatchError('refused', what, { details: problems }),
  };
}

function waitingLines({ waiting }: ComparedShadow, zone: string): string[] {
  return waiting.map((end) => `the window that ends ${localTime(end, zone)} is not published by the batch yet`);
}

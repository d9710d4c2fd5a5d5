import type { FrozenTable } from '../domain/frozen-table.ts';
import { keptUntil } from '../domain/kept-rows.ts';
import { ledgerWindow, type Run, runsOf } from '../domain/ledger.ts';
import { isSameWindow } from '../domain/publications.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import type { Ledger, Source } from '../warehouse/warehouse.ts';
import { type ChosenColumns, chooseColumns } from './columns.ts';

/** The rows that another run of the window read, to score again instead of running the query. */
export interface AsOf {
  readonly run: Run;
  /** Has the `runId` of `run`, by which everything that reads frozen rows finds them. */
  readonly frozen: FrozenTable;
}

export interface AsOfInput {
  readonly definition: JobDefinition;
  readonly window: Window;
  readonly source: Source;
  readonly ledger: Ledger;
}

/**
 * Finds the kept rows that a run of this job and window read.
 *
 * @throws ScoreBatchError `configuration` if it is not such a run, `refused` if its rows are not kept, too old, or changed
 */
export async function rowsOfThen(runId: string, { definition, window, source, ledger }: AsOfInput): Promise<AsOf> {
  const run = runsOf(await ledger.entries({ runs: [runId] })).at(-1);
  if (run === undefined) {
    throw wrongRun(`there is no run ${runId}`, '`score-batch status` lists the runs of the job');
  }
  if (run.job !== definition.name)
    throw wrongRun(`run ${runId} belongs to the job ${run.job}, not to ${definition.name}`, `add --job ${run.job}`);
  if (!isSameWindow(run.window, ledgerWindow(window))) {
    throw wrongRun(
      `run ${runId} belongs to the window ${run.window.label}, not to ${window.label}`,
      `choose its window, from ${run.window.start} to ${run.window.end}`,
    );
  }
  const then = run.details.as_of;
  if (then !== undefined) {
    throw wrongRun(`run ${runId} read no rows of its own: it scored those of run ${then.run_id}`, `use --as-of ${then.run_id}`);
  }
  return { run, frozen: await keptTable(run, { definition, source }) };
}

async function keptTable(
  { runId }: Run,
  { definition, source }: Pick<AsOfInput, 'definition' | 'source'>,
): Promise<FrozenTable> {
  const { keep_rows: days } = definition.source;
  const frozen = await source.frozen(runId).catch((error: unknown) => {
    throw changedRows(runId, error);
  });
  if (frozen?.kept === undefined) {
    throw new ScoreBatchError('refused', `the rows that run ${runId} read are not kept`, {
      hint:
        days === undefined
          ? 'set source.keep_rows in the job file, so that the next runs keep their rows'
          : 'a run keeps its rows only if source.keep_rows was set when it read them, and only for that time: see `score-batch gc`',
    });
  }
  const until = keptUntil(frozen.kept, days);
  if (Date.parse(until) <= Date.now()) {
    throw new ScoreBatchError('refused', `the rows that run ${runId} read were kept only until ${until}`, {
      hint: 'the next clean-up drops them; to keep them, raise source.keep_rows, at most to its value when they were read',
    });
  }
  const own = definition.source.key.map((name) => name.toLowerCase()).join();
  if (frozen.kept.key.map((name) => name.toLowerCase()).join() !== own) {
    throw wrongRun(
      `run ${runId} read rows with the key ${frozen.kept.key.join(', ')}, but the job's key is ${definition.source.key.join(', ')}`,
      'run the window without --as-of',
    );
  }
  return frozen;
}

/** The job's columns among those that the run read. @throws ScoreBatchError `configuration` if one is missing */
export function columnsOfThen({ run, frozen }: AsOf, definition: JobDefinition, bundle: Bundle): ChosenColumns {
  try {
    return chooseColumns(definition, frozen.columns, bundle);
  } catch (error) {
    if (!(error instanceof ScoreBatchError)) throw error;
    throw new ScoreBatchError(error.kind, `the rows that run ${run.runId} read do not fit the job: ${error.message}`, {
      details: [`they have ${frozen.columns.map(({ name }) => name).join(', ')}`, ...error.details],
      hint: 'a run reads only the columns that its job and model need; run the window without --as-of',
      cause: error,
    });
  }
}

function wrongRun(message: string, hint: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `--as-of: ${message}`, { hint });
}

/** Replaces the original hint, which is for the run that froze the rows. */
function changedRows(runId: string, error: unknown): unknown {
  if (!(error instanceof ScoreBatchError) || error.kind !== 'refused') return error;
  return new ScoreBatchError('refused', `the rows that run ${runId} read cannot be scored again: ${error.message}`, {
    details: error.details,
    hint: 'find the process that changed them; run the window without --as-of to read the source again',
    cause: error,
  });
}

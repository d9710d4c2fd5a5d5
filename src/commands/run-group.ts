import type { Command } from 'commander';
import type { BackfillFlags } from './backfill.ts';
import type { CommandLine } from './command-line.ts';
import { unknownWord } from './complaint.ts';
import { jobNumber, positiveInteger, stopOrContinue, workerNumber } from './numbers.ts';
import { addJobOption, addWindowOptions, FORCE_RUN, type GlobalFlags } from './options.ts';
import type { FreezeFlags, PublishFlags, ScoreFlags } from './phases.ts';
import type { PlanFlags } from './plan.ts';
import type { RunFlags } from './run.ts';

const WHOLE = 'refuse a window that is not a whole week, day or hour, whichever the job runs every';
const ALLOW_EMPTY = 'publish a window without rows, even over a publication with rows';
const SKIP_EMPTY = 'exit with code 99 if there is nothing to score';
const FRESH = 'start over instead of resuming an unfinished run';
const SKIP_PUBLISHED = 'do nothing if the window is already published';
const REQUIRE_GPU = 'refuse to run on cpu';
const WORKERS = 'number of chunk workers (default: one per core, one per GPU)';
const AS_OF = "score the rows that this run read, with the job's current model; see source.keep_rows";
const NO_DELIVER = 'notify nobody; see delivery in the job file';
const REPLACE_OVERLAPPING = 'supersede what this job published for overlapping windows';

/** Commands that score windows, or parts of them. @returns the default command */
export function addRunCommands({ program, context, show, showData }: CommandLine): Command {
  const run = program.command('run', { isDefault: true }).description('score a window and publish it (the default command)');
  addRunOptions(addWindowOptions(addJobOption(run)).option('--whole', WHOLE))
    .option('--slice', 'score only users that changed since the previous slice; see incremental in the job file')
    .option('--snapshot', 'with --slice: score all users, whether they changed or not')
    .argument('[command]')
    .allowExcessArguments(false)
    .action(async (stray: string | undefined, flags: RunFlags) => {
      if (stray !== undefined) throw unknownWord(stray, program, program.args[0] === 'run');
      if (flags.slice === true || flags.snapshot === true) {
        const { sliceCommand } = await import('./slice.ts');
        const { data, text } = await sliceCommand(flags, context());
        return show({ data, text: program.opts<GlobalFlags>().quiet ? '' : text });
      }
      const { runCommand } = await import('./run.ts');
      showData(await runCommand(flags, context()));
    });

  addJobOption(program.command('backfill').description('run every window of a range that is not published, oldest first'))
    .option('--from <window>', 'first window, e.g. 2026-W30, 2026-11-18 or 2026-11-18T09, whichever the job runs every')
    .option('--to <window>', 'last window, included')
    .option('--redo', 'also run published windows again')
    .option('--jobs <n>', 'how many windows to run at once, in this process (default: 1)', jobNumber)
    .option('--on-refusal <stop|continue>', 'whether a failed window ends the backfill (default: stop)', stopOrContinue)
    .option('--allow-empty', ALLOW_EMPTY)
    .option('--skip-empty', 'skip windows without rows')
    .option('--fresh', FRESH)
    .option('--require-gpu', REQUIRE_GPU)
    .option('--force', FORCE_RUN)
    .option('--replace-overlapping', REPLACE_OVERLAPPING)
    .option('--workers <number>', WORKERS, workerNumber)
    .action(async (flags: BackfillFlags) => {
      const { backfillCommand } = await import('./backfill.ts');
      const { data, failure } = await backfillCommand(flags, context());
      showData(data);
      if (failure !== undefined) throw failure;
    });

  addWindowOptions(addJobOption(program.command('plan').description('show what a run would do, without moving any rows')))
    .option('--whole', WHOLE)
    .option('--require-gpu', REQUIRE_GPU)
    .option('--replace-overlapping', REPLACE_OVERLAPPING)
    .option('--as-of <run>', AS_OF)
    .action(async (flags: PlanFlags) => {
      const { planCommand } = await import('./plan.ts');
      show(await planCommand(flags, context()));
    });

  const freeze = program
    .command('freeze')
    .description('begin the run of a window and freeze its rows; `score` and `publish` can then run elsewhere');
  addWindowOptions(addJobOption(freeze))
    .option('--whole', WHOLE)
    .option('--skip-empty', SKIP_EMPTY)
    .option('--skip-published', SKIP_PUBLISHED)
    .option('--fresh', FRESH)
    .option('--require-gpu', REQUIRE_GPU)
    .option('--replace-overlapping', REPLACE_OVERLAPPING)
    .action(async (flags: FreezeFlags) => {
      const { freezeCommand } = await import('./phases.ts');
      showData(await freezeCommand(flags, context()));
    });

  const score = program.command('score').description('score the frozen rows of a window, or a shard of them');
  addWindowOptions(addJobOption(score))
    .option('--whole', WHOLE)
    .option('--shard <i/n>', 'shard of this process, e.g. 2/8 for the second of eight')
    .option('--shards <n>', 'number of shards, if the scheduler sets the index (or SCORE_BATCH_SHARDS)', positiveInteger)
    .option('--skip-published', SKIP_PUBLISHED)
    .option('--require-gpu', REQUIRE_GPU)
    .option('--workers <number>', WORKERS, workerNumber)
    .action(async (flags: ScoreFlags) => {
      const { scoreCommand } = await import('./phases.ts');
      showData(await scoreCommand(flags, context()));
    });

  const publish = program.command('publish').description('publish the scored rows of a window once every chunk is staged');
  addWindowOptions(addJobOption(publish))
    .option('--whole', WHOLE)
    .option('--allow-empty', ALLOW_EMPTY)
    .option('--skip-empty', SKIP_EMPTY)
    .option('--skip-published', SKIP_PUBLISHED)
    .option('--require-gpu', REQUIRE_GPU)
    .option('--force', FORCE_RUN)
    .option('--replace-overlapping', REPLACE_OVERLAPPING)
    .option('--run <id>', 'publish this refused run, with --accept and --reason; no window is needed')
    .option('--accept <gates>', 'the gates that refused it, comma-separated; drift means max_score_psi and max_feature_psi')
    .option('--reason <text>', 'why the run is published anyway; kept in the ledger and shown on the report page')
    .option('--no-deliver', NO_DELIVER)
    .action(async (flags: PublishFlags) => {
      const { publishCommand } = await import('./phases.ts');
      showData(await publishCommand(flags, context()));
    });
  return run;
}

function addRunOptions(command: Command): Command {
  return command
    .option('--allow-empty', ALLOW_EMPTY)
    .option('--skip-empty', SKIP_EMPTY)
    .option('--skip-published', SKIP_PUBLISHED)
    .option('--fresh', FRESH)
    .option('--require-gpu', REQUIRE_GPU)
    .option('--force', FORCE_RUN)
    .option('--replace-overlapping', REPLACE_OVERLAPPING)
    .option('--as-of <run>', AS_OF)
    .option('--workers <number>', WORKERS, workerNumber)
    .option('--no-deliver', NO_DELIVER);
}

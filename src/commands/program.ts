import { Command, InvalidArgumentError } from 'commander';
import type { Context } from '../context.ts';
import { printable, printableJson } from '../domain/printable.ts';
import { VERSION } from '../versions.ts';
import { rewordUsageErrors, unknownWord } from './complaint.ts';
import type { EvaluateFlags } from './evaluate.ts';
import type { ExplainFlags } from './explain.ts';
import type { GcFlags } from './gc.ts';
import type { InitFlags } from './init.ts';
import type { DropZipMapFlags } from './model-drop-zipmap.ts';
import type { ReferenceFlags } from './model-reference.ts';
import type { TensorizeFlags } from './model-tensorize.ts';
import { addBounds, addJobOption, addWindowOptions, type GlobalFlags, type JobFlags, type ModelFlags } from './options.ts';
import type { FreezeFlags, PublishFlags, ScoreFlags } from './phases.ts';
import type { PlanFlags } from './plan.ts';
import type { ReportFlags } from './report.ts';
import type { RunFlags } from './run.ts';
import type { StatusFlags } from './status.ts';

const CRON = `
In cron, with absolute paths (Mondays at 6:00; docs/troubleshooting.md explains the exit codes):
  0 6 * * 1  cd /srv/churn && /usr/bin/node node_modules/score-batch/dist/cli.js -q --week

Environment: SCORE_BATCH_JOB, SCORE_BATCH_NOW (an instant with offset), SCORE_BATCH_MEMORY (same as --max-memory),
SCORE_BATCH_REQUEST_SECONDS (timeout of a warehouse request, default 60), SCORE_BATCH_SHARDS,
SCORE_BATCH_HASH_KEY (for hashes in the quarantine table), SCORE_BATCH_LOG=json, NO_COLOR`;

const ALLOW_EMPTY = 'publish a window without rows, even over one with rows';
const SKIP_EMPTY = 'exit with code 99 if there is nothing to score';
const FRESH = 'start over instead of resuming an unfinished run';
const SKIP_PUBLISHED = 'do nothing if the window is already published';
const REQUIRE_GPU = 'refuse to run on cpu';
const WORKERS = 'number of chunk workers (default: one per core, one per GPU)';
const REPLACE_OVERLAPPING = 'supersede what this job has published for overlapping windows';
const FORCE = 'replace a report file that this job did not write';

/**
 * The command line. Each command loads its own code, so that `--help` does not wait for a model runtime.
 *
 * @param print writes a line to stdout; `data` is the object that the line shows
 */
export function buildProgram(
  contextOf: (flags: GlobalFlags) => Context,
  print: (line: string, data: unknown) => void,
  writeHelp: (text: string) => void,
): Command {
  const program = addBounds(new Command('score-batch'))
    .description('Scores the rows of a window in a data warehouse with an ONNX model and publishes the scores exactly once.')
    .version(VERSION)
    .option('--json', 'print one JSON object to stdout')
    .option('-q, --quiet', 'print only warnings and errors')
    .option('-v, --verbose', 'print more')
    .option('-C, --directory <folder>', 'work in this folder')
    .configureOutput({ writeOut: writeHelp, writeErr: () => undefined })
    // Commands copy this when they are created.
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', CRON);
  const context = (): Context => contextOf(program.opts<GlobalFlags>());
  /** Prints JSON with --json, else text. */
  const show = ({ data, text }: { data: unknown; text: string }): void => {
    if (program.opts<GlobalFlags>().json) print(printableJson(data), data);
    else if (text !== '') print(printable(text), data);
  };
  /** Prints JSON with --json. The text is on stderr already. */
  const showData = (data: unknown): void => show({ data, text: '' });

  const run = program.command('run', { isDefault: true }).description('score a window and publish it (the default command)');
  addRunOptions(addWindowOptions(addJobOption(run)))
    .argument('[command]')
    .allowExcessArguments(false)
    .action(async (stray: string | undefined, flags: RunFlags) => {
      if (stray !== undefined) throw unknownWord(stray, program, program.args[0] === 'run');
      const { runCommand } = await import('./run.ts');
      showData(await runCommand(flags, context()));
    });

  addWindowOptions(addJobOption(program.command('plan').description('show what a run would do, without moving any row')))
    .option('--require-gpu', REQUIRE_GPU)
    .option('--replace-overlapping', REPLACE_OVERLAPPING)
    .action(async (flags: PlanFlags) => {
      const { planCommand } = await import('./plan.ts');
      show(await planCommand(flags, context()));
    });

  const freeze = program
    .command('freeze')
    .description('begin the run of a window and freeze its rows; `score` and `publish` can run elsewhere');
  addWindowOptions(addJobOption(freeze))
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
    .option('--allow-empty', ALLOW_EMPTY)
    .option('--skip-empty', SKIP_EMPTY)
    .option('--skip-published', SKIP_PUBLISHED)
    .option('--require-gpu', REQUIRE_GPU)
    .option('--force', FORCE)
    .option('--replace-overlapping', REPLACE_OVERLAPPING)
    .action(async (flags: PublishFlags) => {
      const { publishCommand } = await import('./phases.ts');
      showData(await publishCommand(flags, context()));
    });

  addJobOption(program.command('status').description('show the ledger: runs, states, counts, seconds per stage'))
    .option('--limit <runs>', 'number of newest runs to show (default: 20)', positiveInteger)
    .action(async (flags: StatusFlags) => {
      const { statusCommand } = await import('./status.ts');
      show(await statusCommand(flags, context()));
    });

  addWindowOptions(addJobOption(program.command('report').description("write a window's report file again, without scoring")))
    .option('--force', FORCE)
    .action(async (flags: ReportFlags) => {
      const { reportCommand } = await import('./report.ts');
      showData(await reportCommand(flags, context()));
    });

  addWindowOptions(
    addJobOption(
      program
        .command('explain')
        .argument('<key...>', "values of the key's columns, as the scores table shows them")
        .description("show why a user's score is as it is, its run and model, and the user's earlier scores"),
    ),
  )
    .option('--features <n>', 'how many features to name', positiveInteger)
    .action(async (key: readonly string[], flags: ExplainFlags) => {
      const { explainCommand } = await import('./explain.ts');
      show(await explainCommand(key, flags, context()));
    });

  addWindowOptions(
    addJobOption(program.command('evaluate').description("compare a window's published scores with what became of its users")),
  ).action(async (flags: EvaluateFlags) => {
    const { evaluateCommand } = await import('./evaluate.ts');
    show(await evaluateCommand(flags, context()));
  });

  addJobOption(program.command('gc').description('show what runs have left in scratch and no run needs any more'))
    .option('--apply', 'drop it')
    .action(async (flags: GcFlags) => {
      const { gcCommand } = await import('./gc.ts');
      show(await gcCommand(flags, context()));
    });

  addJobOption(program.command('check').description('check connections, rights, model and execution provider')).action(
    async (flags: JobFlags) => {
      const { checkCommand } = await import('./check.ts');
      const { data, text, failed, failure } = await checkCommand(flags, context());
      show({ data, text: program.opts<GlobalFlags>().quiet ? failed : text });
      if (failure !== undefined) throw failure;
    },
  );

  const model = program.command('model').description('inspect and prepare model bundles');
  model
    .command('inspect <path>')
    .description(
      'show signature, metadata and provider placement of a bundle; for a bare .onnx file, print a model.yaml to start from',
    )
    .option('--providers <list>', 'execution providers to try, comma-separated (default: all)')
    .action(async (folder: string, flags: ModelFlags) => {
      const { inspectCommand } = await import('./model-inspect.ts');
      show(await inspectCommand(folder, flags, context()));
    });
  model
    .command('verify <bundle>')
    .description('score the golden rows and compare them with the expected scores')
    .option('--providers <list>', 'execution providers to try, comma-separated')
    .action(async (folder: string, flags: ModelFlags) => {
      const { verifyCommand } = await import('./model-verify.ts');
      show(await verifyCommand(folder, flags, context()));
    });
  model
    .command('tensorize <bundle>')
    .description('convert the trees of a model to tensor operations, which run entirely on a GPU, in a new bundle')
    .requiredOption('--out <folder>', 'bundle to write')
    .option('--providers <list>', 'execution providers to compare on in addition to cpu, comma-separated')
    .option('--force', 'replace an existing bundle')
    .action(async (folder: string, flags: TensorizeFlags) => {
      const { tensorizeCommand } = await import('./model-tensorize.ts');
      show(await tensorizeCommand(folder, flags, context()));
    });
  model
    .command('drop-zipmap <path>')
    .description('write a model file whose probabilities are a tensor instead of a list of maps (ZipMap)')
    .requiredOption('--out <file>', 'model file to write')
    .option('--force', 'replace an existing file')
    .action(async (file: string, flags: DropZipMapFlags) => {
      const { dropZipMapCommand } = await import('./model-drop-zipmap.ts');
      show(await dropZipMapCommand(file, flags, context()));
    });
  addJobOption(
    model
      .command('reference <path>')
      .description('create reference, baseline, golden.csv and baseline.csv of a bundle from rows of its training set'),
  )
    .option('--csv <file>', 'CSV file with the rows; its header names the features')
    .option('--query <sql|file>', 'SELECT, or .sql file, that returns the rows')
    .option('--warehouse <url>', "DuckDB file for --query, as duckdb:FILE (default: the job's source)")
    .option('--expected <column>', 'column with the scores from Python (default: the model scores the rows itself)')
    .option(
      '--golden-rows <n>',
      'number of golden rows, in addition to nulls, extremes and categories (default: 200)',
      positiveInteger,
    )
    .option('--write', 'write reference, baseline and baseline_rows to model.yaml instead of printing them')
    .option('--force', 'replace an existing golden.csv and baseline.csv')
    .action(async (folder: string, flags: ReferenceFlags) => {
      const { referenceCommand } = await import('./model-reference.ts');
      show(await referenceCommand(folder, flags, context()));
    });

  program
    .command('init <name>')
    .description('write a commented job file and its query')
    .option('--model <bundle>', 'fill in what this model needs; requires --table')
    .option('--table <name>', 'fill in key, features and window from the columns of this table; requires --model')
    .option('--warehouse <url>', 'warehouse of the table (default: WAREHOUSE_URL, else duckdb:data/warehouse.duckdb)')
    .action(async (name: string, flags: InitFlags) => {
      const { initCommand } = await import('./init.ts');
      showData(await initCommand(name, flags, context()));
    });
  showRunFlagsInHelp(program, run);
  rewordUsageErrors(program);
  return program;
}

function addRunOptions(command: Command): Command {
  return command
    .option('--allow-empty', ALLOW_EMPTY)
    .option('--skip-empty', SKIP_EMPTY)
    .option('--skip-published', SKIP_PUBLISHED)
    .option('--fresh', FRESH)
    .option('--require-gpu', REQUIRE_GPU)
    .option('--force', FORCE)
    .option('--replace-overlapping', REPLACE_OVERLAPPING)
    .option('--workers <number>', WORKERS, workerNumber);
}

/** `run` is the default command, so the root's help shows its flags. */
function showRunFlagsInHelp(program: Command, run: Command): void {
  program.configureHelp({
    showGlobalOptions: true,
    visibleOptions(command) {
      const own = Object.getPrototypeOf(this).visibleOptions.call(this, command);
      return command === program ? [...run.options, ...own] : own;
    },
  });
  program.usage('[command] [options]');
}

/** The same limit as in the job file: each worker is a thread with its own model and database. */
function workerNumber(text: string): number {
  const value = positiveInteger(text);
  if (value > 256) throw new InvalidArgumentError('It must be at most 256.');
  return value;
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a positive integer.');
  return value;
}

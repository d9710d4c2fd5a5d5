import type { CommandLine } from './command-line.ts';
import type { DropZipMapFlags } from './model-drop-zipmap.ts';
import type { ModelInitFlags } from './model-init.ts';
import type { PushFlags } from './model-push.ts';
import type { ReferenceFlags } from './model-reference.ts';
import type { TensorizeFlags } from './model-tensorize.ts';
import { positiveInteger } from './numbers.ts';
import { addJobOption, type ModelFlags } from './options.ts';

/** Commands for model bundles. */
export function addModelCommands({ program, context, show }: CommandLine): void {
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
    .option(
      '--expected <column>',
      'column with the scores from Python; for a bundle with classes, one per label, comma-separated (default: the model scores the rows itself)',
    )
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
  model
    .command('init <source>')
    .description('make a bundle from a model in MLflow: models:/NAME/VERSION, or a folder that MLflow saved it to')
    .requiredOption('--out <folder>', 'bundle to write')
    .action(async (source: string, flags: ModelInitFlags) => {
      const { modelInitCommand } = await import('./model-init.ts');
      show(await modelInitCommand(source, flags, context()));
    });
  model
    .command('push <bundle>')
    .description('register a bundle in MLflow as a version of a model, with signature, golden rows and digest')
    .option('--name <name>', 'name of the registered model (default: the name in model.yaml)')
    .option('--alias <alias>', 'alias to move to the version, such as champion')
    .option('--experiment <name>', "experiment to log the files in (default: MLFLOW_EXPERIMENT_NAME, else MLflow's default)")
    .action(async (bundle: string, flags: PushFlags) => {
      const { pushCommand } = await import('./model-push.ts');
      show(await pushCommand(bundle, flags, context()));
    });
}

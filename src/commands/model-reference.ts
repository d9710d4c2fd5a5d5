import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { loadJob } from '../job/load.ts';
import type { JobDefinition } from '../job/schema.ts';
import { isBlank, singleStatement } from '../job/sql-code.ts';
import type { ReferenceOutput } from '../json/model.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { renamesOf } from '../plan/challenger.ts';
import { type MadeReference, makeReference, showExcluded } from '../reference/reference.ts';
import { sourceName, type TrainingSource } from '../reference/training-rows.ts';
import { replaceFile } from '../replaced-file.ts';
import { withKeys, yamlOf } from '../yaml/edit.ts';
import type { JobFlags } from './options.ts';

export interface ReferenceFlags extends JobFlags {
  readonly csv?: string;
  readonly query?: string;
  readonly warehouse?: string;
  readonly expected?: string;
  readonly goldenRows?: number;
  readonly write?: boolean;
  readonly force?: boolean;
}

const GOLDEN_ROWS = 200;

const OWN_SCORES =
  'golden scores: from the model itself on cpu; they verify the environment, not the export (for that, use --expected with a column of scores from Python)';

/** Creates `reference`, `baseline`, golden.csv and baseline.csv of a bundle from rows of its training set. */
export async function referenceCommand(
  given: string,
  flags: ReferenceFlags,
  context: Context,
): Promise<{ data: ReferenceOutput; text: string }> {
  const from = path.resolve(context.folder, given);
  const bundle = await loadBundle(/\.(onnx|yaml)$/.test(from) ? path.dirname(from) : from);
  const source = await sourceOf(flags, bundle, context);
  const made = await makeReference(bundle, {
    source,
    expected: expectedOf(flags.expected, bundle),
    goldenRows: flags.goldenRows ?? GOLDEN_ROWS,
    signal: context.signal,
  });
  const { reference, baseline } = made;
  const force = flags.force === true;
  const golden = await writeNew(path.join(bundle.folder, bundle.definition.golden.file), made.golden, force);
  const rowsFile = bundle.definition.baseline_rows?.file ?? 'baseline.csv';
  const rows = await writeNew(path.join(bundle.folder, rowsFile), made.baselineRows, force);
  // A kept file keeps its digest.
  const stated = rows.written && { baseline_rows: { file: rowsFile, sha256: sha256(made.baselineRows) } };
  const keys = { reference, baseline, ...stated };
  const yaml = path.join(bundle.folder, 'model.yaml');
  if (flags.write === true) {
    const text = withKeys(await readFile(yaml, 'utf8'), keys);
    await replaceFile(yaml, text, 'remove --write, and copy the output');
  }
  const facts = factsOf(made, source, flags.expected, golden.written);
  const written = [
    golden.written
      ? `wrote ${golden.file}: ${made.agreement.rows} rows`
      : `${golden.file} already exists and was kept; add --force to replace it`,
    rows.written
      ? `wrote ${rows.file}: ${made.baselineRows.trimEnd().split('\n').length - 1} baseline rows`
      : `${rows.file} already exists and was kept; add --force to replace it`,
    ...(flags.write === true ? [`wrote ${Object.keys(keys).join(', ')} to ${yaml}`] : []),
  ];
  return {
    data: {
      ...facts.data,
      golden: { file: golden.file, rows: made.agreement.rows, written: golden.written },
      baseline_file: rows,
      model_yaml: flags.write === true ? yaml : null,
      ...keys,
    },
    // Everything but YAML is commented out, so that the output can be pasted into a model.yaml.
    text: [
      ...[...facts.text, ...written].map((line) => `# ${line}`),
      ...(flags.write === true ? [] : [yamlOf(keys).trimEnd()]),
    ].join('\n'),
  };
}

/** The columns in `--expected`: one with scores, or one per class. */
function expectedOf(given: string | undefined, { signature: { classes } }: Bundle): readonly string[] {
  if (given === undefined || classes === undefined) return given === undefined ? [] : [given];
  const columns = given.split(',').map((name) => name.trim());
  if (columns.length === classes.labels.length) return columns;
  throw new ScoreBatchError(
    'usage',
    `--expected names ${counted(columns.length, 'column')}, but the bundle has ${classes.labels.length} classes`,
    { hint: `name the column of each class, in the order ${classes.labels.join(', ')}: --expected p_1,p_2,…` },
  );
}

async function sourceOf(flags: ReferenceFlags, bundle: Bundle, { folder, environment }: Context): Promise<TrainingSource> {
  const { csv, query, warehouse } = flags;
  if ((csv === undefined) === (query === undefined)) {
    throw new ScoreBatchError(
      'usage',
      `model reference needs ${csv === undefined ? 'a source of' : 'a single source of'} rows`,
      {
        hint: 'use --csv with a file, or --query with a SELECT and --warehouse with the DuckDB file',
      },
    );
  }
  if (csv !== undefined) return { csv: path.resolve(folder, csv) };
  const job = warehouse === undefined ? await loadJob(flags.job, folder, environment) : undefined;
  const url = warehouse ?? job?.definition.source.warehouse ?? '';
  if (warehouseKind(url) !== 'duckdb') {
    throw new ScoreBatchError('configuration', 'model reference reads only DuckDB files and CSV files', {
      hint: 'export the rows of the training set as CSV, and use --csv with that file',
    });
  }
  return {
    query: await queryOf(query ?? '', folder),
    file: path.resolve(job?.root ?? folder, url.slice('duckdb:'.length).replace(/^\/\/(?=\/)/, '')),
    renames: renamesIn(job?.definition, bundle),
  };
}

/** In a job with a challenger, renames cover the features of two models; the bundle may be either's. */
function renamesIn(definition: JobDefinition | undefined, bundle: Bundle): JobDefinition['features'] {
  if (definition?.challenger === undefined) return definition?.features ?? {};
  return renamesOf(definition.features, bundle, undefined);
}

/** The SELECT in `--query`, or in the file that it names. */
async function queryOf(given: string, folder: string): Promise<string> {
  const text = /^\S+\.sql$/.test(given)
    ? await readFile(path.resolve(folder, given), 'utf8').catch((cause: unknown) => {
        throw new ScoreBatchError('configuration', `could not read ${given}`, { hint: 'check the path in --query', cause });
      })
    : given;
  const statement = singleStatement(text, 'duckdb');
  if (statement !== undefined && !isBlank(statement, 'duckdb')) return statement;
  throw new ScoreBatchError('usage', '--query is not a single SELECT', {
    hint: 'name the columns like the features in model.yaml: --query "select a, b from training"',
  });
}

/** Replaces an existing file only with `--force`: golden scores may be from Python, and scores were explained with the baseline rows. */
async function writeNew(file: string, text: string, force: boolean): Promise<{ file: string; written: boolean }> {
  const there = await lstat(file).catch(() => undefined);
  if (there !== undefined && !force) return { file, written: false };
  await replaceFile(file, text, 'give the user that runs score-batch permission to write to the bundle');
  return { file, written: true };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function factsOf(
  { read, used, excluded, largest, agreement }: MadeReference,
  source: TrainingSource,
  expected: string | undefined,
  written: boolean,
) {
  const name = sourceName(source);
  const out = excluded.reduce((sum, { rows }) => sum + rows, 0);
  const scored = read - out;
  const agreed = (column: string): string =>
    `golden scores: ${column} of ${name}; the model agrees on all ${scored} rows, largest difference ${(largest ?? 0).toExponential(1)} (tolerance ${agreement.tolerance})`;
  return {
    data: {
      rows: read,
      left_out: excluded.map(({ reason, feature, rows }) => ({ reason, feature: feature ?? null, rows })),
      sampled: used,
      expected: expected ?? null,
      largest_difference: largest ?? null,
      tolerance: agreement.tolerance,
    },
    text: [
      `${name}: ${read} rows, ${scored} scored, ${out} excluded because a run would not score them`,
      ...excluded.map((left) => `  ${showExcluded(left)}`),
      ...(used < scored ? [`based on an even sample of ${used} rows`] : []),
      ...(expected === undefined ? [] : [agreed(expected)]),
      ...(expected === undefined && written ? [OWN_SCORES] : []),
    ],
  };
}

import { z } from 'zod';
import { BYTE_SIZE, parseByteSize } from '../domain/byte-size.ts';
import { isPrintable } from '../domain/printable.ts';
import { PROVIDERS, WITH_DEVICES } from '../domain/provider.ts';
import { templateProblem } from '../domain/report-template.ts';
import { parseTableName } from '../domain/table-name.ts';
import { SCORE_LAYOUTS } from '../domain/tables.ts';
import { GRAINS } from '../domain/window.ts';
import { suggestProvider } from '../suggest.ts';
import { parseBands } from './bands.ts';

const anyText = z.string().min(1);
/** Names go to terminals, logs and other systems, so control characters are refused. Queries may contain them. */
const text = anyText.refine(isPrintable, 'must not contain control characters');
const columnList = z.array(text);

const tableName = text
  .refine(
    (name) => parseTableName(name) !== undefined,
    'write a table as schema.table, with double quotes around unusual names',
  )
  .describe('schema.table; names with dots or spaces in double quotes');

/** `50%` or `0.5` → 0.5 */
const share = z
  .union([z.number().min(0).max(1), z.string().regex(/^\d{1,3}(\.\d+)?%$/, 'write a share like 1% or 0.01')], {
    error: 'write a share like 1% or 0.01',
  })
  .transform((value) => (typeof value === 'number' ? value : Number(`${value.slice(0, -1)}e-2`)))
  .pipe(z.number().max(1, 'a share is at most 100%'));

/** `50GB` → 50,000,000,000; `1TiB` → 1,099,511,627,776 */
const byteSize = z
  .union([z.int().min(1), z.string().regex(BYTE_SIZE, 'write a size like 50GB')], {
    error: 'write a size like 50GB',
  })
  .transform((value) => (typeof value === 'number' ? value : (parseByteSize(value) ?? 0)));

const timeZone = text.refine(isTimeZone, 'must be an IANA time zone, such as America/New_York');

const auto = z.literal('auto');

const source = z
  .strictObject({
    warehouse: text.describe(
      'URL of the source: duckdb:FILE, bigquery://PROJECT/DATASET?location=EU or snowflake://ACCOUNT/DATABASE/SCHEMA?warehouse=W&role=R',
    ),
    scratch: text.default('scratch').describe('schema, dataset or folder suffix for the frozen rows of a run'),
    query: anyText.optional().describe('text of the query; alternatively, query_file'),
    query_file: text.optional().describe('file with the query, relative to the project root'),
    ready: anyText.optional().describe('query that returns true once the source has all rows of the window'),
    key: columnList.min(1, 'name at least one key column').describe('columns that identify a row'),
    duplicates: z
      .enum(['quarantine', 'refuse'])
      .default('quarantine')
      .describe('if a key occurs twice: quarantine all its rows, or refuse the window'),
    freeze: z
      .enum(['auto', 'always', 'never'])
      .default('auto')
      .describe(
        'whether to copy the rows of a DuckDB source before scoring; auto copies them if scoring takes a minute or more, since other processes cannot write to the file meanwhile',
      ),
    unload: z
      .boolean()
      .default(false)
      .describe(
        'whether Snowflake unloads frozen rows to Parquet files for the workers, instead of sending JSON rows; not measured on a real account',
      ),
    max_bytes: byteSize.optional().describe('cost guard: maximum bytes that the query may read, such as 50GB'),
    usd_per_tib: z.number().min(0).default(6.25).describe('price for the cost that plan shows, in USD per TiB'),
  })
  .refine((value) => (value.query === undefined) !== (value.query_file === undefined), {
    message: 'give either query or query_file',
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

const providerName = z.enum(PROVIDERS, {
  error: ({ input }) => `unknown execution provider ${input}; ${suggestProvider(String(input), PROVIDERS)}`,
});

const deviceId = z.int().min(0).max(255);

const providerOptions = z
  .strictObject({
    name: providerName.describe('execution provider'),
    device_id: deviceId.optional().describe('GPU to use, counted from 0'),
    devices: z
      .array(deviceId)
      .min(1, 'name at least one device')
      .optional()
      .describe('GPUs to use, with one chunk worker each'),
  })
  .superRefine(({ name, device_id, devices }, context) => {
    const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    const key = devices === undefined ? 'device_id' : 'devices';
    if (devices !== undefined && device_id !== undefined) refuse('device_id', 'give either device_id or devices');
    else if ((devices ?? device_id) !== undefined && !WITH_DEVICES.includes(name))
      refuse(key, `${name} does not support a choice of devices`);
    else if (new Set(devices).size < (devices?.length ?? 0)) refuse(key, 'a device is listed twice');
  });

/** `cuda`, or `{ name: cuda, devices: [0, 1] }` → `[cuda:0, cuda:1]` */
const providers = z
  .array(z.union([providerName, providerOptions]))
  .min(1)
  .superRefine((list, context) => {
    const names = list.map((provider) => (typeof provider === 'string' ? provider : provider.name));
    for (const [i, name] of names.entries()) {
      if (names.indexOf(name) < i) context.addIssue({ code: 'custom', path: [i], message: `${name} is listed twice` });
      else if (names.indexOf('cpu') >= 0 && names.indexOf('cpu') < i)
        context.addIssue({ code: 'custom', path: [i], message: `${name} after cpu is never used, since cpu always works` });
    }
  })
  .transform((list) =>
    list.flatMap((provider) => {
      if (typeof provider === 'string') return [provider];
      const { name, device_id, devices = device_id === undefined ? undefined : [device_id] } = provider;
      return devices?.map((device) => `${name}:${device}`) ?? [name];
    }),
  );

const score = z.strictObject({
  column: text.default('score').describe('name of the score column'),
  bands: z
    .record(text, z.union([z.number(), z.string()], { error: 'a share like "top 10%" or a threshold like 0.9' }))
    .default({ high: 'top 10%', medium: 'top 30%' })
    .transform((spec, context) => {
      const bands = parseBands(spec);
      if (typeof bands !== 'string') return bands;
      context.addIssue({ code: 'custom', message: bands });
      return z.NEVER;
    })
    .describe('bands from the highest risk down: all shares (top 10%) or all thresholds (0.9)'),
  providers: providers
    .default(['cuda', 'cpu'])
    .describe(`execution providers in order of preference, out of ${PROVIDERS.join(', ')}`),
  require_gpu: z.boolean().default(false).describe('refuse to run any part of the model on cpu'),
  chunk_rows: z
    .union([auto, z.int().min(1).max(5_000_000)], { error: 'auto or a whole number from 1 to 5,000,000' })
    .default('auto')
    .describe('approximate rows per chunk; auto is 250,000, or fewer in a small window from DuckDB to DuckDB'),
  batch_rows: z
    .union([auto, z.int().min(1).max(1_000_000)], { error: 'auto or a whole number from 1 to 1,000,000' })
    .default('auto')
    .describe('maximum rows per call of the model; auto depends on the width of the model'),
  reasons: z
    .strictObject({
      top: z.int().min(1).max(100_000).default(10_000).describe('how many users with the highest scores get reasons'),
      features: z.int().min(1).max(10).default(3).describe('how many features are named per user'),
    })
    .optional()
    .describe('name the features that raise the highest scores most, in the columns reason_1, reason_2, … of the tables'),
  workers: z
    .union([auto, z.int().min(1).max(256)], { error: 'auto or a whole number from 1 to 256' })
    .default('auto')
    .describe('chunk workers; auto is one per core, or one per GPU'),
  max_memory: byteSize.optional().describe('maximum memory of the process, such as 512MiB; by default, enough for its workers'),
});

const sink = z.strictObject({
  warehouse: text.optional().describe("URL of the warehouse for the scores; by default the source's"),
  scratch: text.default('scratch').describe('schema, dataset or folder suffix for scores before they are published'),
  table: tableName,
  layout: z
    .enum(SCORE_LAYOUTS)
    .default('wide')
    .describe(
      'columns of the scores table: wide has all; narrow has no ranks, and the run id instead of the model; slim has only the start of the window and the publication number',
    ),
  keep: columnList.default([]).describe('columns of the query to publish with each score'),
  shared_tables: z
    .boolean()
    .default(false)
    .describe('whether other jobs publish to the same tables; then filter every count by job'),
  quarantine_values: z.enum(['hash', 'plain']).default('hash').describe('how the quarantine table shows rejected values'),
});

const reportPath = text.superRefine((path, context) => {
  const message = templateProblem(path);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const report = z.strictObject({
  table: tableName.optional().describe('report table: scores with ranks, for windows of the length in `every`'),
  summary_table: tableName.optional().describe('summary table: users, share and mean score per segment and band'),
  segments: columnList.default([]).describe('columns of sink.keep that the summary is broken down by'),
  drift_table: tableName.optional().describe('drift table: a row per window and feature, see gates.max_feature_psi'),
  holdout: share
    .optional()
    .describe('share of the users that nobody should contact, by a hash of the key; marked in the column holdout'),
  csv: reportPath.optional().describe('path of the report file, such as reports/churn-{window}.csv'),
  csv_bom: z.boolean().default(false).describe('whether the CSV file begins with a byte order mark, which Excel needs'),
  parquet: reportPath.optional().describe('path of the report as Parquet, such as reports/churn-{window}.parquet'),
  xlsx: reportPath.optional().describe('path of the report as a workbook, such as reports/churn-{window}.xlsx'),
  page: reportPath
    .optional()
    .describe('path of the report page, such as reports/churn-{window}.html; index.html beside it lists all windows'),
  page_keys: z.boolean().default(false).describe('whether the page may show the keys of the riskiest users'),
  min_cell: z.int().min(1).default(10).describe('minimum users of a segment on the page; smaller ones are grouped'),
  nouns: z
    .strictObject({
      one: text.default('user').describe('a user of the report: new customer'),
      many: text.default('users').describe('the same in the plural: new customers'),
      outcome: text.default('leave').describe('what the model predicts, after "expected to": stay away for 28 days'),
    })
    .prefault({})
    .describe('the words of the page'),
});

/** One limit for every feature, or a limit per feature. */
function perFeature<T extends z.ZodType>(limit: T) {
  return z.union([limit, z.record(text, limit)], { error: 'write one limit, or a limit per feature' });
}

const gates = z.strictObject({
  min_rows: z.int().min(0).default(1).describe('minimum rows of a window; 0 allows an empty publication'),
  max_drop: share
    .optional()
    .describe('maximum drop in rows, as a share, from the publication that is superseded or else the previous window'),
  max_quarantine_rate: share.default(0.01).describe('maximum share of quarantined rows'),
  max_score_psi: z
    .number()
    .positive()
    .optional()
    .describe("maximum drift of the scores (PSI) from the bundle's reference and from the previous window"),
  psi_min_rows: z.int().min(1).default(500).describe('minimum scored rows for the drift check'),
  max_feature_psi: perFeature(z.number().positive())
    .optional()
    .describe("maximum drift (PSI) of a feature from the bundle's reference; one limit, or one per feature"),
  max_null_share: perFeature(share).optional().describe('maximum share of nulls of a feature; one limit, or one per feature'),
  min_auc: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('minimum AUC of the newest window whose outcome is known, by the upper bound of its 95 % interval'),
  max_calibration_error: share
    .optional()
    .describe('maximum mean difference between score and outcome of the newest window whose outcome is known'),
  on_evaluation: z
    .enum(['warn', 'refuse'])
    .default('warn')
    .describe('what happens if min_auc or max_calibration_error is not met'),
});

/** `28 days` → 28 */
const days = z
  .string()
  .regex(/^[1-9]\d{0,3} days?$/, 'write a number of days like 28 days')
  .transform((value) => Number.parseInt(value, 10));

const labels = z
  .strictObject({
    query: anyText.optional().describe('query that returns the key and the outcome of users; alternatively, query_file'),
    query_file: text.optional().describe('file with that query, relative to the project root'),
    ready: anyText.optional().describe('query that returns true once the outcomes up to :label_end are known'),
    after: days.describe('time after the end of the window until its outcome is known, such as 28 days'),
    outcome: text.default('outcome').describe('column of the query with the outcome: true, or 1, if it came true'),
    treated: text.optional().describe('column of the query that is true for users who were contacted'),
    missing: z
      .enum(['exclude', 'negative'])
      .describe('users whom the query does not return: leave them out, or count them as not come true'),
    table: tableName.optional().describe('evaluation table; by default sink.table with _evaluation appended'),
  })
  .refine((value) => (value.query === undefined) !== (value.query_file === undefined), {
    message: 'give either query or query_file',
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

/** The job file. `z.input` is what users write and editors complete; `z.output` is the JobDefinition. */
export const jobSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'use lower-case letters, digits, - and _')
    .describe('identifies the job in every table'),
  description: z.string().optional().describe('what the job does, for people'),
  model: text.describe('folder of the model bundle'),
  time_zone: timeZone.describe('IANA time zone of the windows'),
  every: z.enum(GRAINS).default('week').describe('length of the windows that go to the report tables'),
  source,
  features: z.record(text, text).default({}).describe('feature of the model → column of the query, if their names differ'),
  score: score.prefault({}),
  sink,
  report: report.prefault({}),
  gates: gates.prefault({}),
  labels: labels.optional().describe('what became of the users, to evaluate the scores once it is known'),
});

/** A checked job file with all defaults filled in. */
export type JobDefinition = z.output<typeof jobSchema>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

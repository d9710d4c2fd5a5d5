import { yamlText } from '../yaml/scalar.ts';

/** What `init` knows about the job. Missing facts become examples or comments. */
export interface JobFacts {
  readonly model?: string;
  readonly warehouse?: string;
  /** Empty if the key could not be found. */
  readonly key?: readonly string[];
  readonly keyComment?: string;
  /** Comments for `features`, one per line. */
  readonly renames?: readonly string[];
  readonly scoreColumn?: string;
  /** For a model that predicts a class. */
  readonly classes?: readonly string[] | undefined;
  readonly keepComment?: string;
}

const RENAMES = [
  'features:                           # if a column of the query is named differently from the feature of the model',
  '  feature_of_the_model: column_of_the_query',
];

/** A commented job file for `init`: the keys that a first job needs, and the others commented out. */
export function jobTemplate(name: string, schemaPath: string, facts: JobFacts = {}): string {
  const table = name.replaceAll('-', '_');
  const {
    model = `models/${name}`,
    warehouse = `\${WAREHOUSE_URL:-duckdb:data/warehouse.duckdb}`,
    key = ['user_id'],
    keyComment,
    renames = RENAMES,
    scoreColumn = 'churn_propensity',
    classes = [],
    keepComment = 'columns of the query to publish with each score',
  } = facts;
  return `# yaml-language-server: $schema=${schemaPath}
name: ${name}
${line(`model: ${yamlText(model)}`, 'folder with model.onnx, model.yaml and golden.csv')}
time_zone: Europe/Berlin              # time zone of the windows
every: week                           # week, day or hour: length of the windows that go to the report tables

source:
  warehouse: ${warehouse}
  scratch: scratch                    # schema, dataset or folder suffix for the frozen rows of a run
  query_file: jobs/${name}.sql        # uses :window_start_date and :window_end_date, or :window_start and :window_end
  # ready: select max(loaded_until) >= :window_end from loads     # if false: exit code 69, try again later
${line(`  key: [${key.map(yamlText).join(', ')}]`, keyComment)}
  duplicates: quarantine              # if a key occurs more than once: quarantine all its rows, or: refuse the window

${renames.map((text) => `# ${text}`).join('\n')}

score:
  column: ${yamlText(scoreColumn)}
${classes.map((label) => `  # class: ${yamlText(label)}\n`).join('')}  bands: { high: top 10%, medium: top 30% }       # or thresholds: { high: 0.9, medium: 0.8 }
  # providers: [cuda, cpu]           # in order of preference: tensorrt, cuda, webgpu, cpu
  # require_gpu: true
  # chunk_rows: auto
  # workers: auto

sink:
  # warehouse:                        # by default the source's
  # scratch: scratch                  # schema, dataset or folder suffix for scores before they are published
  table: marketing.${table}_scores    # also creates …_quarantine and score_batch_ledger in the same schema
${line('  keep: []', keepComment)}
  quarantine_values: hash             # or: plain

report:
  table: marketing.${table}_report
  summary_table: marketing.${table}_summary
  segments: []                        # columns of keep that the summary is broken down by
  csv: reports/${name}-{window}.csv

gates:                                # limits on what may be published
  min_rows: 1                         # 0 allows an empty publication
  # max_drop: 50%                     # of rows, from the superseded publication, or else from the previous window
  max_quarantine_rate: 1%
  # max_score_psi: 0.25               # drift of the scores; needs a reference in model.yaml
  # max_feature_psi: 0.25             # drift of each feature, or { age: 0.1 }; needs reference.features in model.yaml
  # max_null_share: { age: 5% }       # nulls of a feature, or one limit for all
`;
}

function line(text: string, comment: string | undefined): string {
  return comment === undefined ? text : `${text.padEnd(37)} # ${comment}`;
}

/** What `init` knows about the query. Every string is SQL, or becomes a comment. */
export interface QueryFacts {
  readonly table: string;
  readonly columns: readonly string[];
  /** Comments after the columns, about missing ones. */
  readonly missing: readonly string[];
  /** The window's column and the suffix of its parameters; undefined if no column was found. */
  readonly time?: { readonly column: string; readonly suffix: string };
  /** What to do if no column was found, one comment per line. */
  readonly timeComments: readonly string[];
}

const EXAMPLE: QueryFacts = {
  table: 'users',
  columns: ['user_id'],
  missing: [', feature columns'],
  time: { column: 'signup_date', suffix: '_date' },
  timeComments: [],
};

/** The query file that goes with `jobTemplate`. */
export function queryTemplate({ table, columns, missing, time, timeComments }: QueryFacts = EXAMPLE): string {
  const filter =
    time === undefined
      ? []
      : [`where ${time.column} >= :window_start${time.suffix}`, `  and ${time.column} < :window_end${time.suffix}`];
  return [
    "-- One row per user of the window, with the model's features as known at the end of the window.",
    'select',
    ...columns.map((column, i) => `  ${column}${i < columns.length - 1 ? ',' : ''}`),
    ...missing.map((text) => `  ${sqlComment(text)}`),
    `from ${table}`,
    ...timeComments.map(sqlComment),
    ...filter,
    '',
  ].join('\n');
}

/** Makes a one-line comment. A line break in a feature's name would end the comment. */
function sqlComment(text: string): string {
  return `-- ${text.replaceAll(/\s+/g, ' ')}`;
}

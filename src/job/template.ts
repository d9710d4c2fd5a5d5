import { yamlText } from '../yaml/scalar.ts';

/** What is known of a job when its file is written; what is left out is an example, or a comment. */
export interface JobFacts {
  readonly model?: string;
  readonly warehouse?: string;
  /** Empty where it could not be told. */
  readonly key?: readonly string[];
  readonly keyComment?: string;
  /** Comments under `features`, a line each. */
  readonly renames?: readonly string[];
  readonly scoreColumn?: string;
  readonly keepComment?: string;
}

const RENAMES = [
  "features:                           # where the query's column has another name than the model's feature",
  '  feature_of_the_model: column_of_the_query',
];

/** A commented job file for `init`; every key that a first job needs, the others behind a comment. */
export function jobTemplate(name: string, schemaPath: string, facts: JobFacts = {}): string {
  const table = name.replaceAll('-', '_');
  const {
    model = `models/${name}`,
    warehouse = `\${WAREHOUSE_URL:-duckdb:data/warehouse.duckdb}`,
    key = ['user_id'],
    keyComment,
    renames = RENAMES,
    scoreColumn = 'churn_propensity',
    keepComment = 'columns of the query to carry through',
  } = facts;
  return `# yaml-language-server: $schema=${schemaPath}
name: ${name}
${line(`model: ${yamlText(model)}`, 'folder with model.onnx, model.yaml and golden.csv')}
time_zone: Europe/Berlin              # zone in which weeks, days and hours begin
every: week                           # grain of the report: week, day or hour; other windows are ad hoc

source:
  warehouse: ${warehouse}
  scratch: scratch                    # schema, dataset or folder suffix for the rows of a run until it is over
  query_file: jobs/${name}.sql        # uses :window_start_date and :window_end_date, or :window_start and :window_end
  # ready: select max(loaded_until) >= :window_end from loads     # false: exit code 69, try again later
${line(`  key: [${key.map(yamlText).join(', ')}]`, keyComment)}
  duplicates: quarantine              # all rows of a key that occurs twice; or: refuse

${renames.map((text) => `# ${text}`).join('\n')}

score:
  column: ${yamlText(scoreColumn)}
  bands: { high: top 10%, medium: top 30% }       # or thresholds: { high: 0.9, medium: 0.8 }
  # providers: [cuda, cpu]           # tried in order; out of tensorrt, cuda, webgpu, cpu
  # require_gpu: true
  # chunk_rows: auto
  # workers: auto

sink:
  # warehouse:                        # the source's, if left out
  # scratch: scratch                  # schema, dataset or folder suffix for scores until they are published
  table: marketing.${table}_scores    # beside it: …_quarantine and score_batch_ledger
${line('  keep: []', keepComment)}
  quarantine_values: hash             # or: plain

report:
  table: marketing.${table}_report
  summary_table: marketing.${table}_summary
  segments: []                        # columns of keep by which the summary is broken down
  csv: reports/${name}-{window}.csv

gates:                                # what may be published at all
  min_rows: 1                         # 0 allows an empty publication
  # max_drop: 50%                     # rows lost against the publication replaced, or the window before
  max_quarantine_rate: 1%
  # max_score_psi: 0.25               # drift of the scores; needs a reference in model.yaml
`;
}

function line(text: string, comment: string | undefined): string {
  return comment === undefined ? text : `${text.padEnd(37)} # ${comment}`;
}

/** What is known of a query when its file is written. Every text is SQL, or stands behind `--`. */
export interface QueryFacts {
  readonly table: string;
  readonly columns: readonly string[];
  /** Lines behind the columns, about what is missing. */
  readonly missing: readonly string[];
  /** Column of the window and its parameters' suffix; undefined where it could not be told. */
  readonly time?: { readonly column: string; readonly suffix: string };
  /** What to do where it could not, a line each. */
  readonly timeComments: readonly string[];
}

const EXAMPLE: QueryFacts = {
  table: 'users',
  columns: ['user_id'],
  missing: [', feature columns'],
  time: { column: 'signup_date', suffix: '_date' },
  timeComments: [],
};

/** The query that goes with it. */
export function queryTemplate({ table, columns, missing, time, timeComments }: QueryFacts = EXAMPLE): string {
  const filter =
    time === undefined
      ? []
      : [`where ${time.column} >= :window_start${time.suffix}`, `  and ${time.column} < :window_end${time.suffix}`];
  return [
    "-- One row per user of the window, with the columns that the model takes, as known at the window's end.",
    'select',
    ...columns.map((column, i) => `  ${column}${i < columns.length - 1 ? ',' : ''}`),
    ...missing.map((text) => `  ${sqlComment(text)}`),
    `from ${table}`,
    ...timeComments.map(sqlComment),
    ...filter,
    '',
  ].join('\n');
}

/** One line, whatever a model calls its features: a line break would end the comment. */
function sqlComment(text: string): string {
  return `-- ${text.replaceAll(/\s+/g, ' ')}`;
}

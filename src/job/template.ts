/** A commented job file for `init`; every key that a first job needs, the others behind a comment. */
export function jobTemplate(name: string, schemaPath: string): string {
  const table = name.replaceAll('-', '_');
  return `# yaml-language-server: $schema=${schemaPath}
name: ${name}
model: models/${name}                 # folder with model.onnx, model.yaml and golden.csv
time_zone: Europe/Berlin              # zone in which weeks, days and hours begin
every: week                           # grain of the report: week, day or hour; other windows are ad hoc

source:
  warehouse: \${WAREHOUSE_URL:-duckdb:data/warehouse.duckdb}
  query_file: jobs/${name}.sql        # uses :window_start_date and :window_end_date, or :window_start and :window_end
  # ready: select max(loaded_until) >= :window_end from loads     # false: exit code 69, try again later
  key: [user_id]
  duplicates: quarantine              # all rows of a key that occurs twice; or: refuse

# features:                           # where the query's column has another name than the model's feature
#   feature_of_the_model: column_of_the_query

score:
  column: churn_propensity
  bands: { high: top 10%, medium: top 30% }       # or thresholds: { high: 0.9, medium: 0.8 }
  # providers: [cuda, cpu]           # tried in order; out of tensorrt, cuda, webgpu, cpu
  # require_gpu: true
  # chunk_rows: auto
  # workers: auto

sink:
  # warehouse:                        # the source's, if left out
  table: marketing.${table}_scores    # beside it: …_quarantine and score_batch_ledger
  keep: []                            # columns of the query to carry through
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

/** The query that goes with it. */
export function queryTemplate(): string {
  return `-- One row per user of the window, with the columns that the model takes, as known at the window's end.
select
  user_id
  -- , feature columns
from users
where signup_date >= :window_start_date
  and signup_date < :window_end_date
`;
}

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: job files refer to the environment in this form
import { describe, expect, it } from 'vitest';
import { parseJob } from '../../src/job/parse.ts';
import type { JobDefinition } from '../../src/job/schema.ts';
import { jobTemplate } from '../../src/job/template.ts';
import { presentError } from '../../src/terminal/error.ts';

const MINIMAL = `name: churn
model: models/churn
time_zone: Europe/Berlin
source:
  warehouse: duckdb:w.duckdb
  query: select 1
  key: [id]
sink: { table: marketing.scores }
`;

function parse(text: string, environment: NodeJS.ProcessEnv = {}): JobDefinition {
  return parseJob(text, 'jobs/churn.yaml', environment);
}

/** What a user sees, without the hint: it is always the same, see below. */
function problems(text: string, environment: NodeJS.ProcessEnv = {}): string {
  try {
    parse(text, environment);
  } catch (error) {
    return presentError(error).text.replace(/\nhint: .*$/, '');
  }
  return 'no problem';
}

it('fills in all defaults of a minimal job', () => {
  expect(parse(MINIMAL)).toEqual({
    name: 'churn',
    model: 'models/churn',
    time_zone: 'Europe/Berlin',
    every: 'week',
    source: {
      warehouse: 'duckdb:w.duckdb',
      scratch: 'scratch',
      query: 'select 1',
      key: ['id'],
      duplicates: 'quarantine',
      usd_per_tib: 6.25,
      freeze: 'auto',
      unload: false,
    },
    features: {},
    score: {
      column: 'score',
      bands: {
        by: 'share',
        bounds: [
          { name: 'high', bound: 100_000 },
          { name: 'medium', bound: 300_000 },
        ],
        rest: 'low',
      },
      providers: ['cuda', 'cpu'],
      require_gpu: false,
      chunk_rows: 'auto',
      batch_rows: 'auto',
      workers: 'auto',
    },
    sink: {
      table: 'marketing.scores',
      scratch: 'scratch',
      layout: 'wide',
      keep: [],
      quarantine_values: 'hash',
      shared_tables: false,
      history: 1,
      history_for: 90,
    },
    compare: {},
    report: {
      segments: [],
      csv_bom: false,
      page_keys: false,
      min_cell: 10,
      nouns: { one: 'user', many: 'users', outcome: 'leave' },
    },
    gates: { min_rows: 1, max_quarantine_rate: 0.01, psi_min_rows: 500, on_evaluation: 'warn' },
  });
});

it('accepts the job that `init` writes, with its keys commented out or not', () => {
  const template = jobTemplate('churn', './job.schema.json');
  expect(parse(template).source.warehouse).toBe('duckdb:data/warehouse.duckdb');
  // `# key: value   # why` → `key: value   # why`; the first line is for the editor. The user names one key.
  const everything = template
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/^( *)# {0,3}(?=[a-z_]+:)/, (_, indent: string) => (indent === '' ? '' : indent)))
    .join('\n')
    .replace('feature_of_the_model:', '  feature_of_the_model:')
    .replace(/^ {2}warehouse: +# by default the source's$/m, '  warehouse: duckdb:other.duckdb');
  expect(parse(everything)).toMatchObject({
    features: { feature_of_the_model: 'column_of_the_query' },
    score: { require_gpu: true, chunk_rows: 'auto', workers: 'auto' },
    sink: { warehouse: 'duckdb:other.duckdb' },
    gates: { max_drop: 0.5, max_score_psi: 0.25 },
  });
});

it('shows all problems at once, each with its position', () => {
  const text = `name: Churn Weekly
modle: models/churn
time_zone: Mars/Phobos
every: month
source:
  warehouse: duckdb:w.duckdb
  query: select 1
  query_file: jobs/churn.sql
  key: []
  duplicates: ignore
features: { orders: 7 }
score:
  bands: { high: top 30%, medium: top 10% }
  chunk_rows: 0
  workers: many
  gpu: true
sink:
  table: scores; drop table users
  keep: country
report:
  csv: reports/churn.csv
gates:
  min_rows: 1.5
  max_drop: 150%
  max_quarantine_rate: some
  max_score_psi: -1
`;
  expect(problems(text)).toMatchInlineSnapshot(`
    "error: the job file jobs/churn.yaml has 20 problems
      jobs/churn.yaml:1:1: model: missing: expected text
      jobs/churn.yaml:1:7: name: use lower-case letters, digits, - and _
      jobs/churn.yaml:2:1: unknown key modle; did you mean model?
      jobs/churn.yaml:3:12: time_zone: must be an IANA time zone, such as America/New_York
      jobs/churn.yaml:4:8: every: expected one of hour, day, week
      jobs/churn.yaml:6:3: source: give one of query, query_file and events
      jobs/churn.yaml:9:8: source.key: name at least one key column
      jobs/churn.yaml:10:15: source.duplicates: expected one of quarantine, refuse
      jobs/churn.yaml:11:21: features.orders: expected text
      jobs/churn.yaml:13:10: score.bands: the band medium must reach further down than high: list bands from the highest risk down
      jobs/churn.yaml:14:15: score.chunk_rows: must be at least 1
      jobs/churn.yaml:15:12: score.workers: auto or a whole number from 1 to 256
      jobs/churn.yaml:16:3: score: unknown key gpu; choose from column, class, classes, bands, providers, require_gpu, chunk_rows, batch_rows, reasons, workers, max_memory
      jobs/churn.yaml:18:10: sink.table: write a table as schema.table, with double quotes around unusual names
      jobs/churn.yaml:19:9: sink.keep: expected a list
      jobs/churn.yaml:21:8: report.csv: must contain {window}, or every window would overwrite the same file
      jobs/churn.yaml:23:13: gates.min_rows: expected a whole number
      jobs/churn.yaml:24:13: gates.max_drop: a share is at most 100%
      jobs/churn.yaml:25:24: gates.max_quarantine_rate: write a share like 1% or 0.01
      jobs/churn.yaml:26:18: gates.max_score_psi: must be more than 0"
  `);
});

it('shows a query that is given twice or not at all together with other problems of the source', () => {
  const either = '  jobs/churn.yaml:5:3: source: give one of query, query_file and events';
  const twice = MINIMAL.replace('query: select 1', 'query: select 1\n  query_file: churn.sql');
  const never = MINIMAL.replace('query: select 1', 'scratch: s');
  expect(problems(twice).split('\n').slice(1)).toEqual([either]);
  expect(problems(never).split('\n').slice(1)).toEqual([either]);
  const lines = problems(twice.replace('key: [id]', 'key: id')).split('\n').slice(1);
  expect(lines).toContain('  jobs/churn.yaml:8:8: source.key: expected a list');
  expect(lines).toContain(either);
});

it('gives a hint, and names the job file', () => {
  let shown: ReturnType<typeof presentError> | undefined;
  try {
    parse('name: churn');
  } catch (error) {
    shown = presentError(error);
  }
  expect(shown?.exitCode).toBe(78);
  expect(shown?.text).toMatchInlineSnapshot(`
    "error: the job file jobs/churn.yaml has 4 problems
      jobs/churn.yaml:1:1: model: missing: expected text
      jobs/churn.yaml:1:1: time_zone: missing: expected text
      jobs/churn.yaml:1:1: source: missing: expected a map
      jobs/churn.yaml:1:1: sink: missing: expected a map
    hint: docs/job-file.md explains every key; \`score-batch init NAME\` writes a commented example"
  `);
});

it('refuses text that is not YAML, or not one job, with the position', () => {
  const texts = ['', '- a list', 'name: "churn', 'name: a\nname: b', 'source:\n  key: [id\nsink: {}'];
  expect(texts.map((text) => problems(text)).join('\n')).toMatchInlineSnapshot(`
    "error: the job file jobs/churn.yaml has a problem
      jobs/churn.yaml:1:1: expected a map
    error: the job file jobs/churn.yaml has a problem
      jobs/churn.yaml:1:1: expected a map
    error: the job file jobs/churn.yaml has a problem
      jobs/churn.yaml:1:13: Missing closing "quote
    error: the job file jobs/churn.yaml has a problem
      jobs/churn.yaml:2:1: Map keys must be unique
    error: the job file jobs/churn.yaml has a problem
      jobs/churn.yaml:3:1: Flow sequence in block collection must be sufficiently indented and end with a ]"
  `);
});

describe('environment variables in values', () => {
  const withWarehouse = (value: string, environment: NodeJS.ProcessEnv = {}) =>
    parse(
      MINIMAL.replace('duckdb:w.duckdb', () => value),
      environment,
    ).source.warehouse;

  it.each([
    ['"${URL}"', { URL: 'duckdb:a.duckdb' }, 'duckdb:a.duckdb'],
    ['"${URL:-duckdb:b.duckdb}"', {}, 'duckdb:b.duckdb'],
    ['"${URL:-duckdb:b.duckdb}"', { URL: '' }, 'duckdb:b.duckdb'],
    ['"${URL:-duckdb:b.duckdb}"', { URL: 'duckdb:a.duckdb' }, 'duckdb:a.duckdb'],
    ['"duckdb:${FOLDER}/${FILE}.duckdb"', { FOLDER: 'data', FILE: 'a' }, 'duckdb:data/a.duckdb'],
    ['"$${URL}"', { URL: 'duckdb:a.duckdb' }, '${URL}'],
    ['"$URL ${1}"', { URL: 'duckdb:a.duckdb' }, '$URL ${1}'],
    ['"${URL}"', { URL: '${OTHER}', OTHER: 'not looked up' }, '${OTHER}'],
  ])('resolves %s with %o to %s', (value, environment, expected) => {
    expect(withWarehouse(value, environment)).toBe(expected);
  });

  it.each(['a: b', '[a, b]', '{ a: b }', 'a # b', "'", '"', '- a\n- b', '*a', '&a', '!!int 1', 'a\nname: other', '  '])(
    'keeps a value that looks like YAML as a value: %j',
    (value) => {
      const text = `${MINIMAL.replace('select 1', '${URL}')}description: "\${URL}"\n`;
      const { name, source, description } = parse(text, { URL: value });
      expect([source.query, description, name]).toEqual([value, value, 'churn']);
    },
  );

  it('turns a plain value into the number or boolean of the variable, and keeps a quoted one as text', () => {
    const text = `${MINIMAL}score:\n  chunk_rows: \${ROWS}\n  require_gpu: \${GPU}\n  column: "\${ROWS}"\n`;
    expect(parse(text, { ROWS: '1000', GPU: 'true' }).score).toMatchObject({
      chunk_rows: 1000,
      require_gpu: true,
      column: '1000',
    });
  });

  it('reports an unset variable without a default, together with other problems', () => {
    const text = MINIMAL.replace('models/churn', '${MODEL}').replace('duckdb:w.duckdb', '"${URL}"').replace('key', 'keys');
    expect(problems(text)).toMatchInlineSnapshot(`
      "error: the job file jobs/churn.yaml has 4 problems
        jobs/churn.yaml:2:8: the environment variable MODEL is not set and has no default
        jobs/churn.yaml:5:3: source.key: missing: expected a list
        jobs/churn.yaml:5:14: the environment variable URL is not set and has no default
        jobs/churn.yaml:7:3: source: unknown key keys; did you mean key?"
    `);
  });
});

it.each([
  ['1%', 0.01],
  ['0.7%', 0.007],
  ['33.3%', 0.333],
  ['100%', 1],
  ['0%', 0],
  ['0.25', 0.25],
])('parses the share %s as %d, to the last bit', (text, value) => {
  // A binary fraction off by one bit would decide wrongly for exactly the rate that the job allows.
  expect(parse(`${MINIMAL}gates: { max_quarantine_rate: ${text} }`).gates.max_quarantine_rate).toBe(value);
});

it.each([
  ['50GB', 50e9],
  ['1.5 TB', 1.5e12],
  ['1TiB', 2 ** 40],
  ['10B', 10],
  ['1000', 1000],
])('parses the size %s as %d bytes', (text, bytes) => {
  expect(parse(MINIMAL.replace('  key: [id]', `  key: [id]\n  max_bytes: ${text}`)).source.max_bytes).toBe(bytes);
});

it('accepts execution providers by name and with devices', () => {
  const score = (text: string) => parse(`${MINIMAL}score: { providers: ${text} }\n`).score.providers;
  expect(score('[tensorrt, cuda, webgpu, cpu]')).toEqual(['tensorrt', 'cuda', 'webgpu', 'cpu']);
  expect(score('[{ name: cuda, devices: [0, 1] }, cpu]')).toEqual(['cuda:0', 'cuda:1', 'cpu']);
  expect(score('[{ name: tensorrt, device_id: 3 }, { name: webgpu }]')).toEqual(['tensorrt:3', 'webgpu']);
});

it('refuses unknown execution providers and options, each with its position', () => {
  const text = `${MINIMAL}score:
  providers:
    - cdua
    - CUDAExecutionProvider
    - gpu
    - name: tensorrrt
      device_id: 0
    - name: tensorrt
      device: 0
    - { name: cuda, device_id: 1, devices: [1] }
    - { name: cuda, devices: [1, 1] }
    - { name: cuda, devices: [] }
    - { name: cuda, device_id: -1 }
    - { name: webgpu, device_id: 1 }
    - 7
`;
  expect(problems(text)).toMatchInlineSnapshot(`
    "error: the job file jobs/churn.yaml has 11 problems
      jobs/churn.yaml:11:7: score.providers.0: unknown execution provider cdua; did you mean cuda?
      jobs/churn.yaml:12:7: score.providers.1: unknown execution provider CUDAExecutionProvider; did you mean cuda?
      jobs/churn.yaml:13:7: score.providers.2: unknown execution provider gpu; for a GPU write cuda or tensorrt (NVIDIA), or webgpu (any)
      jobs/churn.yaml:14:13: score.providers.3.name: unknown execution provider tensorrrt; did you mean tensorrt?
      jobs/churn.yaml:17:7: score.providers.4: unknown key device; did you mean devices?
      jobs/churn.yaml:18:32: score.providers.5.device_id: give either device_id or devices
      jobs/churn.yaml:19:30: score.providers.6.devices: one device is listed twice
      jobs/churn.yaml:20:30: score.providers.7.devices: name at least one device
      jobs/churn.yaml:21:32: score.providers.8.device_id: must be at least 0
      jobs/churn.yaml:22:34: score.providers.9.device_id: webgpu does not support a choice of devices
      jobs/churn.yaml:23:7: score.providers.10: unknown execution provider 7; choose from tensorrt, cuda, webgpu, cpu"
  `);
  expect(problems(`${MINIMAL}score: { providers: [cpu, cuda, cpu] }\n`)).toMatchInlineSnapshot(`
    "error: the job file jobs/churn.yaml has 2 problems
      jobs/churn.yaml:9:27: score.providers.1: cuda after cpu is never used, since cpu always works
      jobs/churn.yaml:9:33: score.providers.2: cpu is listed twice"
  `);
});

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ENTRIES } from '../scripts/entries.ts';
import { repository } from './support/project.ts';

/**
 * What each part of src may import, from the bottom up: a part's imports stand above it. `(types)` means nothing that is
 * there at run time. A part is a folder or, beside folders, a file.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  // Plain values, no I/O.
  domain: [],
  errors: [],
  suggest: [],
  versions: [],
  processor: [],
  'bounded-file': ['errors'],
  'without-values': [],
  'replaced-file': ['errors'],
  'writable-folder': ['errors'],
  random: [],
  secrets: [],
  'error-parts': ['errors', 'secrets'],
  // Text to checked values.
  yaml: ['errors', 'suggest'],
  window: ['domain', 'errors'],
  // The objects that `--json` prints: their versions, and, for types and schemas/ only, their forms.
  json: ['domain'],
  // Column batches to tensors, tensors to scores, and what is known of a model.
  features: ['domain'],
  onnx: [],
  runtime: ['bounded-file', 'domain', 'errors', 'onnx'],
  model: ['bounded-file', 'domain', 'errors', 'features', 'onnx', 'random', 'runtime', 'suggest', 'yaml'],
  tensorize: ['domain (types)', 'errors', 'model', 'onnx', 'random', 'runtime', 'yaml'],
  zipmap: ['domain (types)', 'errors', 'model', 'onnx', 'random', 'replaced-file', 'runtime'],
  // Features of events, written once: as SQL, and as windows in memory.
  'event-features': ['domain', 'suggest', 'yaml'],
  'event-features/sql': ['domain', 'errors', 'event-features'],
  'event-features/flink': ['errors', 'event-features'],
  job: ['domain', 'errors', 'event-features', 'event-features/sql', 'model (types)', 'suggest', 'window', 'yaml'],
  // Versions of models in MLflow: found, downloaded, registered. Loaded for a job that names one.
  registry: ['bounded-file', 'domain', 'errors', 'model', 'replaced-file', 'secrets', 'yaml'],
  // How many rows, workers and bytes a run takes.
  sizing: ['domain', 'errors', 'job (types)', 'model (types)'],
  // DuckDB as a tool, which knows nothing of jobs; then chunks as Parquet files.
  duckdb: ['domain', 'errors', 'without-values'],
  // What becomes of rows that are scored as the query returns them, and how DuckDB finds it.
  outcomes: ['duckdb', 'features (types)'],
  reference: ['domain', 'duckdb', 'errors', 'features', 'model', 'random', 'runtime'],
  // The interfaces of warehouses and the SQL that they have in common; each warehouse in its own folder, strangers to each
  // other; one file knows them all.
  warehouse: ['domain (types)', 'duckdb (types)', 'errors', 'without-values'],
  'warehouse/sql': ['domain', 'errors', 'warehouse'],
  'warehouse/duckdb': ['domain', 'duckdb', 'errors', 'outcomes', 'warehouse', 'warehouse/sql', 'writable-folder'],
  'warehouse/bigquery': ['domain', 'duckdb', 'errors', 'secrets', 'suggest', 'warehouse', 'warehouse/sql', 'without-values'],
  'warehouse/snowflake': ['domain', 'duckdb', 'errors', 'secrets', 'suggest', 'warehouse', 'warehouse/sql', 'without-values'],
  'warehouse/open': [
    'domain',
    'errors',
    'suggest',
    'warehouse (types)',
    'warehouse/bigquery',
    'warehouse/duckdb',
    'warehouse/snowflake',
  ],
  // What people and schedulers see.
  terminal: ['domain', 'errors', 'secrets'],
  // Answers to requests. Its parts are leaves: nothing here knows windows, warehouses or DuckDB.
  serve: ['domain', 'model (types)'],
  // Features by the keys of rows, from Feast's server.
  feast: ['domain', 'errors', 'serve'],
  // The query that a feature service of Feast is for the batch.
  'feast/history': ['bounded-file', 'domain', 'errors', 'suggest'],
  'serve/settings': ['bounded-file', 'domain', 'errors', 'secrets', 'serve', 'suggest', 'yaml'],
  'serve/score': ['domain', 'errors', 'feast', 'model', 'random', 'runtime', 'serve'],
  'serve/oip': ['domain', 'features', 'model (types)', 'serve', 'suggest', 'versions'],
  'serve/predict': ['domain', 'features', 'model', 'serve', 'suggest'],
  'serve/http': ['domain', 'errors', 'serve', 'serve/oip', 'serve/predict', 'versions'],
  'serve/grpc': ['errors', 'serve', 'serve/oip'],
  'serve/process': [
    'domain',
    'error-parts',
    'errors',
    'features',
    'serve',
    'serve/grpc',
    'serve/http',
    'serve/oip',
    'serve/predict',
    'serve/score',
    'suggest',
    'terminal',
    'without-values',
  ],
  // Scores of a stream. Nothing here knows the flow of a window.
  stream: ['event-features', 'features (types)'],
  'stream/kafka': ['bounded-file', 'errors', 'stream'],
  'stream/window': ['event-features', 'stream'],
  'stream/settings': ['domain', 'errors', 'event-features', 'job', 'secrets', 'stream', 'suggest', 'yaml'],
  'stream/score': ['domain', 'errors', 'event-features', 'features', 'model', 'runtime', 'stream', 'suggest'],
  'stream/partition': ['errors', 'event-features', 'features', 'stream'],
  'stream/attributes': [
    'domain',
    'errors',
    'event-features',
    'stream (types)',
    'warehouse (types)',
    'warehouse/open',
    'warehouse/sql',
    'without-values',
  ],
  'stream/process': [
    'domain',
    'errors',
    'event-features',
    'event-features/flink',
    'stream',
    'stream/attributes',
    'stream/kafka',
    'stream/partition',
    'stream/score',
    'stream/window',
    'terminal',
  ],
  score: [
    'domain',
    'duckdb',
    'error-parts',
    'errors',
    'features',
    'runtime',
    'secrets',
    'warehouse',
    'warehouse/duckdb',
    'warehouse/open',
    'warehouse/sql',
  ],
  tap: [
    'domain',
    'duckdb',
    'error-parts',
    'features',
    'outcomes',
    'runtime',
    'score',
    'secrets',
    'warehouse (types)',
    'warehouse/duckdb',
    'warehouse/sql',
  ],
  // Report files as objects of Google Cloud Storage and of S3.
  store: ['domain', 'errors', 'warehouse'],
  report: ['domain', 'duckdb', 'errors', 'store', 'warehouse', 'writable-folder'],
  // How well scores foretold outcomes: measures of counts, and where the outcomes come from.
  evaluation: [],
  labels: ['domain', 'errors', 'evaluation', 'job (types)', 'warehouse (types)', 'warehouse/sql'],
  // Why a score is what it is. It reads trees as `tensorize` does.
  explain: [
    'bounded-file',
    'domain',
    'errors',
    'features',
    'model',
    'onnx',
    'runtime',
    'tensorize',
    'warehouse (types)',
    'warehouse/sql',
  ],
  // What the report page shows, read from tables and ledger, and the page as HTML.
  page: ['domain', 'errors', 'warehouse (types)', 'warehouse/sql', 'window'],
  // What two publications have in common and how they differ.
  compare: ['domain', 'errors', 'evaluation', 'job (types)', 'labels', 'page', 'warehouse (types)', 'warehouse/sql', 'window'],
  // What a stream wrote, beside what a batch job published for the same events.
  'stream/compare': ['compare', 'domain', 'duckdb', 'errors', 'event-features', 'stream (types)', 'warehouse (types)'],
  // Where runs spend their time, and what slices would cost.
  profile: ['domain', 'errors'],
  context: ['terminal (types)'],
  // The command line as a shell completes it.
  completion: [],
  // The flow, and the commands around it.
  plan: [
    'context (types)',
    'domain',
    'errors',
    'explain',
    'job',
    'model',
    'page',
    'registry',
    'report',
    'secrets',
    'sizing',
    'store',
    'suggest',
    'tap',
    'terminal (types)',
    'versions',
    'warehouse',
    'warehouse/sql',
    'warehouse/open',
    'window',
    'yaml',
  ],
  // Who looks on while runs are worked on: what observers are, then each of them, then the file that knows them all.
  'observe/observer': ['domain (types)', 'plan (types)'],
  telemetry: ['context (types)', 'errors', 'observe/observer (types)', 'secrets', 'versions'],
  'metrics-file': ['context (types)', 'errors', 'observe/observer (types)', 'replaced-file'],
  lineage: [
    'domain',
    'duckdb',
    'errors',
    'job (types)',
    'observe/observer (types)',
    'plan (types)',
    'report',
    'secrets',
    'terminal (types)',
    'versions',
    'warehouse/bigquery',
    'warehouse/snowflake',
    'without-values',
  ],
  observe: ['context (types)', 'domain', 'errors', 'lineage', 'metrics-file', 'observe/observer', 'plan (types)', 'telemetry'],
  // Which users changed since the slice before.
  'slice/changes': ['domain', 'errors', 'job (types)', 'suggest', 'warehouse (types)', 'window'],
  // Messages about a publication.
  delivery: ['context (types)', 'domain', 'errors', 'job (types)', 'page', 'plan', 'report', 'secrets', 'warehouse (types)'],
  run: [
    'compare',
    'context (types)',
    'delivery',
    'domain',
    'errors',
    'explain',
    'evaluation',
    'job',
    'labels',
    'observe',
    'plan',
    'processor',
    'report',
    'score',
    'secrets',
    'sizing',
    'tap',
    'versions',
    'warehouse',
    'warehouse/sql',
    'window',
  ],
  // How a plan differs from an earlier publication and from an unfinished run.
  changes: ['domain', 'job', 'model', 'plan (types)', 'warehouse (types)'],
  // A challenger becomes the model of its job.
  promotion: [
    'compare',
    'context (types)',
    'domain',
    'errors',
    'job',
    'model',
    'plan',
    'registry',
    'replaced-file',
    'run',
    'warehouse',
    'yaml',
  ],
  // The current table beside the batch: compared, then read instead of it.
  shadow: ['compare', 'domain', 'errors', 'job', 'warehouse', 'warehouse/sql', 'window'],
  // Slices: what changed since the slice before, into the current table.
  slice: [
    'context (types)',
    'domain',
    'duckdb',
    'errors',
    'job',
    'model',
    'observe',
    'plan',
    'run',
    'shadow',
    'sizing',
    'slice/changes',
    'warehouse (types)',
    'warehouse/sql',
    'window',
  ],
  // Many windows in one call.
  backfill: ['context (types)', 'domain', 'errors', 'job (types)', 'plan', 'run', 'sizing', 'tap', 'terminal'],
  // Removing a person from everything that a job has written.
  erase: [
    'context (types)',
    'domain',
    'errors',
    'explain',
    'job (types)',
    'plan',
    'report',
    'run',
    'store (types)',
    'slice',
    'warehouse',
    'warehouse/sql',
  ],
  commands: [
    'backfill',
    'changes',
    'completion',
    'compare',
    'context (types)',
    'delivery',
    'domain',
    'erase',
    'errors',
    'explain',
    'feast/history',
    'evaluation (types)',
    'event-features',
    'event-features/sql',
    'job',
    'json',
    'labels',
    'model',
    'onnx',
    'plan',
    'profile',
    'promotion',
    'random',
    'reference',
    'registry',
    'replaced-file',
    'report',
    'run',
    'runtime',
    'secrets',
    'serve/process',
    'serve (types)',
    'serve/settings',
    'stream (types)',
    'stream/process',
    'stream/settings',
    'shadow',
    'slice',
    'stream/kafka',
    'stream/compare',
    'suggest',
    'tap',
    'tensorize',
    'terminal',
    'versions',
    'warehouse',
    'warehouse/sql',
    'window',
    'yaml',
    'zipmap',
  ],
  ending: ['errors'],
  main: ['commands', 'context (types)', 'domain', 'ending', 'errors', 'json', 'secrets', 'terminal', 'window'],
  cli: ['main'],
};

/** Each package is known to these parts only, so that replacing one touches one folder. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['store'],
  '@date-fns/tz': ['window'],
  '@duckdb/node-api': ['duckdb'],
  '@duckdb/node-bindings': ['duckdb'],
  '@google-cloud/bigquery': ['warehouse/bigquery'],
  '@google-cloud/bigquery-storage': ['warehouse/bigquery'],
  '@google-cloud/storage': ['store'],
  '@zip.js/zip.js': ['report'],
  '@grpc/grpc-js': ['serve/grpc'],
  '@grpc/proto-loader': ['serve/grpc'],
  '@grpc/reflection': ['serve/grpc'],
  '@observablehq/plot': ['page'],
  '@opentelemetry/api': ['telemetry'],
  '@opentelemetry/core': ['telemetry'],
  '@opentelemetry/exporter-metrics-otlp-proto': ['telemetry'],
  '@opentelemetry/exporter-trace-otlp-proto': ['telemetry'],
  '@opentelemetry/resources': ['telemetry'],
  '@opentelemetry/sdk-metrics': ['telemetry'],
  '@opentelemetry/sdk-trace-base': ['telemetry'],
  'apache-arrow': ['warehouse/bigquery'],
  commander: ['commands', 'completion', 'main'],
  fastify: ['serve/http'],
  fzstd: ['stream/kafka'],
  diff: ['changes'],
  'csv-parse': ['model'],
  'date-fns': ['window'],
  'fastest-levenshtein': ['suggest'],
  'google-auth-library': ['warehouse/bigquery'],
  'google-gax': ['warehouse/bigquery'],
  'grpc-health-check': ['serve/grpc'],
  kafkajs: ['stream/kafka'],
  linkedom: ['page'],
  'lz4-napi': ['stream/kafka'],
  nodemailer: ['delivery'],
  'onnxruntime-node': ['runtime'],
  'p-limit': ['warehouse/snowflake'],
  'prom-client': ['serve/process', 'stream/process'],
  'snowflake-sdk': ['warehouse/snowflake'],
  snappy: ['stream/kafka'],
  yaml: ['yaml'],
  zod: ['event-features', 'job', 'json', 'model', 'registry', 'serve/settings', 'stream/settings', 'yaml'],
};

interface Import {
  /** Path inside src of the importing file. */
  readonly from: string;
  /** Path inside src, or a package. */
  readonly to: string;
  readonly internal: boolean;
  readonly types: boolean;
}

const SRC = repository('src');
const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split(path.sep).join('/'))
  .sort();
const TEXTS = new Map(FILES.map((file) => [file, readFileSync(path.join(SRC, file), 'utf8')]));
const IMPORTS = FILES.flatMap((file) => importsOf(file, TEXTS.get(file) ?? ''));

function importsOf(from: string, text: string): Import[] {
  const statement = /^(?:import|export)\s+(type\s+)?(\{[^}]*\}|\*[\s\w]*|\w+)(?:,\s*\{[^}]*\})?\s+from\s+'([^']+)'/gm;
  const found = [...text.matchAll(statement)].map(([, type, names = '', to = '']) => {
    const every = names.replace(/[{}]/g, '').split(',');
    const types = type !== undefined || every.every((name) => name.trim() === '' || name.trim().startsWith('type '));
    return toImport(from, to, types);
  });
  // A thread's entry is an import in all but name.
  const others = [...text.matchAll(/\bimport\('([^']+)'\)|'(\.\/[\w-]+\.js)'/g)];
  return [
    ...found,
    ...others.map(([, dynamic, entry]) => toImport(from, dynamic ?? entry?.replace(/\.js$/, '.ts') ?? '', false)),
  ];
}

function toImport(from: string, specifier: string, types: boolean): Import {
  const internal = specifier.startsWith('.');
  const to = internal ? path.posix.join(path.posix.dirname(from), specifier) : packageOf(specifier);
  return { from, to, internal, types };
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** `warehouse/duckdb/query.ts` → `warehouse/duckdb`, `job/parse.ts` → `job`, `cli.ts` → `cli` */
function partOf(file: string): string {
  if (['warehouse/open.ts', 'observe/observer.ts'].includes(file)) return file.replace(/\.ts$/, '');
  const folder = path.posix.dirname(file);
  return folder === '.' ? file.replace(/\.ts$/, '') : folder;
}

describe('imports', () => {
  it('there is a rule for every part, and none for a part that is gone', () => {
    expect(Object.keys(MAY_IMPORT).sort()).toEqual([...new Set(FILES.map(partOf))].sort());
  });

  it.each(Object.keys(MAY_IMPORT))('%s imports what it may, and the rules name nothing that it does not', (part) => {
    const allowed = MAY_IMPORT[part] ?? [];
    const own = IMPORTS.filter(({ from, to, internal }) => internal && partOf(from) === part && partOf(to) !== part);
    const strangers = own.filter(
      ({ to, types }) => !allowed.includes(partOf(to)) && !(types && allowed.includes(`${partOf(to)} (types)`)),
    );
    expect(strangers.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
    const used = new Set(own.map(({ to }) => partOf(to)));
    expect(allowed.filter((name) => !used.has(name.replace(' (types)', '')))).toEqual([]);
  });

  it('rules point one way: each part stands below what it imports', () => {
    const order = Object.keys(MAY_IMPORT);
    const upward = Object.entries(MAY_IMPORT).flatMap(([part, allowed]) =>
      allowed
        .map((name) => name.replace(' (types)', ''))
        .filter((name) => order.indexOf(name) >= order.indexOf(part))
        .map((name) => `${part} → ${name}`),
    );
    expect(upward).toEqual([]);
  });

  it('each package is imported in its own place only', () => {
    const places = new Map<string, Set<string>>();
    for (const { from, to, internal } of IMPORTS) {
      if (internal || to.startsWith('node:')) continue;
      places.set(to, (places.get(to) ?? new Set()).add(partOf(from)));
    }
    expect(Object.fromEntries([...places].map(([name, parts]) => [name, [...parts].sort()]))).toEqual(PACKAGES);
  });

  it('no file imports itself over others, not even for a type', () => {
    const targets = new Map(
      FILES.map((file) => [file, IMPORTS.filter(({ from, internal }) => internal && from === file).map(({ to }) => to)]),
    );
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, trail: readonly string[]): void => {
      const start = trail.indexOf(file);
      if (start >= 0) cycles.push([...trail.slice(start), file].join(' → '));
      if (start >= 0 || done.has(file)) return;
      for (const target of targets.get(file) ?? []) visit(target, [...trail, file]);
      done.add(file);
    };
    for (const file of FILES) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('every import inside src is of a file that is there, so none was overlooked above', () => {
    expect(IMPORTS.filter(({ to, internal }) => internal && !TEXTS.has(to))).toEqual([]);
    // Counted in a plainer way: the pattern above must know every form of import that is in use.
    const statements = [...TEXTS.values()].join('\n').match(/\bfrom '[^']+';$|\bimport\('|'\.\/[\w-]+\.js'/gm) ?? [];
    expect(IMPORTS).toHaveLength(statements.length);
  });
});

describe('files', () => {
  it('of which a thread is made are files of their own in dist too, side by side with who starts them', () => {
    const threads = [...TEXTS].flatMap(([file, text]) =>
      [...text.matchAll(/'\.\/([\w-]+)\.js'/g)].map(([, name]) => ({
        name,
        input: `src/${path.posix.join(path.posix.dirname(file), `${name}.ts`)}`,
      })),
    );
    const entries = Object.entries(ENTRIES).map(([name, input]) => ({ name, input }));
    expect(threads).toEqual(entries.filter(({ name }) => name !== 'cli'));
  });

  it('of dist load native packages where src does, after the environment that they read is set, and not before all else', () => {
    const built = readdirSync(repository('dist')).filter((name) => name.endsWith('.js'));
    const texts = built.map((name) => readFileSync(repository('dist', name), 'utf8'));
    expect(texts.filter((text) => /^import .*"(onnxruntime-node|@duckdb\/node-bindings)"/m.test(text))).toEqual([]);
    const loading = texts.filter((text) => text.includes('__require("onnxruntime-node")'));
    expect(loading.length).toBeGreaterThan(1);
    for (const text of loading)
      expect(text.indexOf('process.env.ORT_DISABLE_TELEMETRY ??=')).toSatisfy(
        (at: number) => at >= 0 && at < text.indexOf('__require("onnxruntime-node")'),
      );
  });

  it('are of one idea each: none over 300 lines, half of them under 100', () => {
    const lengths = FILES.map((file) => ({ file, lines: (TEXTS.get(file) ?? '').split('\n').length - 1 }));
    expect(lengths.filter(({ lines }) => lines > 300)).toEqual([]);
    const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(100);
  });

  it('say in their names what they hold, in kebab case', () => {
    expect(FILES.filter((file) => /(^|[/-])(utils?|helpers?|manager|index|common|misc)([-/.]|$)/.test(file))).toEqual([]);
    expect(FILES.filter((file) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(file))).toEqual([]);
  });

  it('export by name, and inherit from nothing but Error', () => {
    const found = [...TEXTS].flatMap(([file, text]) => [
      ...(/^export (default\b|\{[^}]*\bas default\b)/m.test(text) ? [`${file}: a default export`] : []),
      ...[...text.matchAll(/\bclass\s+\w*\s*(?:<[^>]*>)?\s*extends\s+([\w.]+)/g)]
        .filter(([, base]) => base !== 'Error')
        .map(([, base]) => `${file}: a class that extends ${base}`),
    ]);
    expect(found).toEqual([]);
  });
});

describe('package.json', () => {
  const { dependencies, devDependencies, optionalDependencies, engines } = JSON.parse(
    readFileSync(repository('package.json'), 'utf8'),
  ) as Record<'dependencies' | 'devDependencies' | 'optionalDependencies' | 'engines', Record<string, string>>;

  it('pins exact versions: a score must not depend on the day of installation', () => {
    const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    expect(loose).toEqual([]);
  });

  it('has the packages that src imports, which are bundled unless they are installed beside it, and says which Node runs them', () => {
    const installed = { ...dependencies, ...optionalDependencies };
    const bundled = Object.keys(PACKAGES).filter((name) => !(name in installed));
    expect(bundled.filter((name) => !(name in devDependencies))).toEqual([]);
    expect(Object.keys(dependencies).filter((name) => !(name in PACKAGES))).toEqual([]);
    expect(engines.node).toBe('>=20.19');
  });
});

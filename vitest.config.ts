import { defineConfig } from 'vitest/config';
import { SlowestFiles } from './test/slowest-files.ts';

const NEED_AIRFLOW = ['test/deploy/airflow.test.ts'];

// Compared with libraries in Python, which are installed the first time.
const NEED_PYTHON = [
  'test/evaluation/sklearn/*.test.ts',
  'test/explain/shap/*.test.ts',
  'test/serve/clients/*.test.ts',
  'test/serve/http/schemathesis.test.ts',
];

// Java and Kafka's jars, which are installed the first time.
const NEED_KAFKA = ['test/kafka/**/*.test.ts', 'test/**/*.kafka.test.ts'];

// Whole processes of the stream that are killed, drained and fenced, on brokers that are killed, too: what takes minutes.
const KAFKA_PROCESSES = ['brokers-killed', 'group', 'security', 'switch', 'topics'].map(
  (file) => `test/stream/real/${file}.kafka.test.ts`,
);

// Flink SQL as the oracle of features, on Java, too, and once over Kafka.
const NEED_FLINK = ['test/flink/**/*.test.ts'];

// Each against the real thing, which is installed the first time: what score-batch works with.
const INTEGRATIONS = {
  // A tracking server of MLflow.
  registry: ['test/**/*.mlflow.test.ts'],
  // A feature server of Feast.
  feast: ['test/**/*.feast.test.ts'],
  // Prefect, Dagster, and the provider for Airflow.
  orchestrators: ['test/deploy/orchestrators/*.test.ts'],
  // Servers of S3 and of Google Cloud Storage.
  stores: ['test/**/*.store.test.ts'],
  // promtool, a collector.
  monitoring: ['test/**/*.monitoring.test.ts'],
  // The packed file, with each Node.
  package: ['test/package/*.test.ts'],
  // The container image, built without a daemon.
  image: ['test/image/*.test.ts'],
};

// LibreOffice, which opens workbooks.
const NEED_OFFICE = ['test/office/**/*.test.ts'];

// What takes seconds on the emulators: the clients against servers of the tests, and the first part of the conformance suite.
const NEED_EMULATORS = [
  'test/emulators/**/*.test.ts',
  'test/warehouse/{bigquery,snowflake}/!(agreement|events).test.ts',
  'test/warehouse/{bigquery,snowflake}/conformance/source-and-ledger.test.ts',
];

// What takes minutes on them: the rest of the suite, features of events, and the weekly job from each kind of warehouse to each other.
const EVERY_WAREHOUSE = [
  'test/warehouse/{bigquery,snowflake}/conformance/!(source-and-ledger).test.ts',
  'test/warehouse/{bigquery,snowflake}/{agreement,events}.test.ts',
  'test/across/**/*.test.ts',
  'test/deploy/kubernetes.test.ts',
  'test/deploy/schemas.test.ts',
];

// Whole runs, killed, resumed, raced, measured and installed, and files that take many seconds: what takes minutes within DuckDB.
const SYSTEM = [
  'accept',
  'accept-gates',
  'as-of',
  'backfill',
  'bench',
  'bottleneck',
  'challenger',
  'class-score',
  'classes',
  'commands/compare',
  'commands/evaluate',
  'commands/explain',
  'commands/gc',
  'commands/phases',
  'commands/plan-changes',
  'commands/profile',
  'commands/status-slices',
  'commands/status-watch',
  'completion/shells',
  'data-quality',
  'delivery/bad-input',
  'delivery/crash',
  'delivery/lazy',
  'delivery/mail',
  'delivery/webhook',
  'demo-job',
  'deploy/hourly',
  'deploy/image',
  'deploy/serve',
  'erase',
  'erase-challenger',
  'erase-current',
  'erase-race',
  'erase-rollback',
  'erase-silent',
  'evaluation/bad-labels',
  'evaluation/matured',
  'event-features/agreement',
  'event-features/duckdb',
  'feast/lookup',
  'feature-drift',
  'fraud-walk',
  'holdout',
  'hourly-walk',
  'identities',
  'limits',
  'lineage/bad-input',
  'lineage/runs',
  'metrics-file/metrics-file',
  'observe/lazy',
  'own-names',
  'package',
  'page-bad-input',
  'page-index',
  'page-numbers',
  'page-remake',
  'promote',
  'providers',
  'publications',
  'race',
  'reasons',
  'reasons-models',
  'reasons-recovery',
  'reasons-refused',
  'recovery',
  'registry/bad-registry',
  'registry/slice',
  'report/kinds',
  'report/xlsx',
  'rollback',
  'row-values',
  'score/pool',
  'secrets',
  'serve/agreement',
  'serve/grpc/built',
  'serve/http/large',
  'serve/http/unread',
  'serve/lazy',
  'serve/process/bits',
  'serve/process/device-lost',
  'serve/process/grpc',
  'serve/process/log',
  'serve/process/models',
  'serve/process/reload',
  'serve/process/signals',
  'serve/score/refused',
  'shadow/bad-input',
  'shadow/shadow',
  'signals',
  'sizing/run-sizing',
  'slice/bad-input',
  'slice/bad-job',
  'slice/race',
  'slice/replay',
  'slice/slice',
  'store/bad-input',
  'stream/built',
  'stream/window/bounds',
  'stream/window/checkpoint',
  'tap',
  'tap-recovery',
  'telemetry/telemetry',
  'tensorize/bundle',
  'terminal/run',
  'upgrade/upgrade',
  'walk',
  'warehouse/duckdb/conformance/rest',
  'wide-rows',
].map((file) => `test/${file}.test.ts`);

// Processes that are killed, connections that break: what takes minutes, started by `npm run test:faults`.
const FAULTS = ['test/crash/**/*.test.ts', 'test/faults/**/*.test.ts'];

// Pages in a real Chromium, started by `npm run test:browser`.
const BROWSER = ['test/page/browser.test.ts', 'test/serve/http/browser.test.ts'];

const WITH_EMULATORS = {
  globalSetup: 'test/emulators/global-setup.ts',
  // Emulators answer slowly where much goes on beside them.
  testTimeout: 400_000,
  hookTimeout: 180_000,
  // Google's client asks the network whether it runs in Google's cloud, unless it is told; Snowflake's warns of Node 20.
  env: { METADATA_SERVER_DETECTION: 'none', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
};

/** Pods over an emulator, from an image that is built first. */
const WITH_IMAGES = { ...WITH_EMULATORS, globalSetup: [WITH_EMULATORS.globalSetup, 'test/image/global-setup.ts'] };

// Random kills and faults are there for the commands that ask for them (scripts/chaos.ts, scripts/chaos-faults.ts).
const CHAOS = (process.env.CHAOS ? (['crash', 'faults'] as const) : []).map((folder) => ({
  extends: true as const,
  test: {
    ...WITH_EMULATORS,
    name: { crash: 'chaos', faults: 'chaos-faults' }[folder],
    include: [`test/${folder}/chaos.ts`],
  },
}));

// What this version writes, kept for the next one's tests by the command that releases.
const KEEP_VERSION = process.env.KEEP_VERSION
  ? [{ extends: true as const, test: { name: 'keep-version', include: ['test/upgrade/make.ts'] } }]
  : [];

export default defineConfig({
  test: {
    reporters: [new SlowestFiles(), 'default'],
    // What is built is loaded as it is: its threads are files beside it.
    server: { deps: { external: [/\/dist\/[\w-]+\.js$/] } },
    // End-to-end tests start processes and chunk workers of their own; more files at once than cores only slows them down.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'core',
          globalSetup: 'test/vulkan/global-setup.ts',
          include: ['test/**/*.test.ts'],
          exclude: [
            ...SYSTEM,
            ...NEED_EMULATORS,
            ...EVERY_WAREHOUSE,
            ...FAULTS,
            ...NEED_AIRFLOW,
            ...NEED_PYTHON,
            ...BROWSER,
            ...NEED_OFFICE,
            ...NEED_FLINK,
            ...NEED_KAFKA,
            ...Object.values(INTEGRATIONS).flat(),
          ],
        },
      },
      { extends: true, test: { name: 'system', globalSetup: 'test/vulkan/global-setup.ts', include: SYSTEM } },
      { extends: true, test: { ...WITH_EMULATORS, name: 'emulators', include: NEED_EMULATORS } },
      { extends: true, test: { ...WITH_EMULATORS, name: 'warehouses', include: EVERY_WAREHOUSE } },
      { extends: true, test: { ...WITH_EMULATORS, name: 'faults', include: FAULTS } },
      // Each task is a process of Airflow and one of Node, one after the other.
      {
        extends: true,
        test: { ...WITH_EMULATORS, name: 'airflow', include: NEED_AIRFLOW, testTimeout: 600_000, hookTimeout: 600_000 },
      },
      { extends: true, test: { name: 'python', include: NEED_PYTHON, testTimeout: 600_000 } },
      {
        extends: true,
        test: {
          name: 'flink',
          globalSetup: ['test/flink/global-setup.ts', 'test/kafka/global-setup.ts'],
          include: NEED_FLINK,
          testTimeout: 600_000,
        },
      },
      { extends: true, test: { name: 'browser', include: BROWSER } },
      { extends: true, test: { name: 'office', include: NEED_OFFICE } },
      {
        extends: true,
        test: {
          name: 'kafka',
          globalSetup: 'test/kafka/global-setup.ts',
          include: NEED_KAFKA,
          exclude: KAFKA_PROCESSES,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'kafka-processes',
          globalSetup: 'test/kafka/global-setup.ts',
          include: KAFKA_PROCESSES,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      ...Object.entries(INTEGRATIONS).map(([name, include]) => ({
        extends: true as const,
        test: {
          ...(name === 'image' ? WITH_IMAGES : {}),
          ...{ name, include, testTimeout: 600_000, hookTimeout: 600_000, passWithNoTests: true },
          ...(name === 'stores' && { globalSetup: 'test/store/global-setup.ts' }),
        },
      })),
      ...CHAOS,
      ...KEEP_VERSION,
    ],
  },
});

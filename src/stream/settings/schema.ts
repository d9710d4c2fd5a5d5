import { z } from 'zod';
import { parseMilliseconds, SHORT_DURATION } from '../../domain/milliseconds.ts';
import { FIELD_TYPES } from '../../event-features/definition.ts';
import { anyText, bundlePlace, byteSize, text } from '../../job/fields.ts';

const name = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'use lower-case letters, digits, - and _');
const number = z.int().min(1);
const port = z.int().min(0, 'must be a port, 0 to 65535').max(65_535, 'must be a port, 0 to 65535');

/** What Kafka accepts as a topic name. */
const topic = z
  .string()
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, 'must be the name of a topic: at most 249 letters, digits, dots, _ and -');

/** `200ms`, `10s`, `5m` → milliseconds */
const duration = z
  .string('write a duration like 200ms, 10s or 5m')
  .regex(SHORT_DURATION, 'write a duration like 200ms, 10s or 5m')
  .transform((value) => parseMilliseconds(value) ?? 0)
  .pipe(z.number().min(1, 'must be more than 0'));

const broker = z.string().regex(/^(\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):\d{1,5}$/, 'write a broker as host:port');

const tls = z.union([
  z.boolean(),
  z.strictObject({
    ca: text.optional().describe('PEM file with the CA that signs the certificates of the brokers'),
    cert: text.optional().describe('PEM file with the certificate of this client'),
    key: text.optional().describe('PEM file with its private key'),
  }),
]);

const sasl = z.strictObject({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).describe('SASL mechanism'),
  username: text.describe('user name'),
  password: anyText.describe(
    'environment variable with the password, as `$` and its name in braces; the password itself is never written here',
  ),
});

const kafka = z.strictObject({
  brokers: z.array(broker).min(1, 'name at least one broker').describe('brokers to connect to first, as `host:port`'),
  client_id: text.default('score-batch').describe('name of this client in the logs and quotas of the brokers'),
  tls: tls.optional().describe('`true`, or certificate files'),
  sasl: sasl.optional().describe('user and password of this client'),
  compression: z.enum(['none', 'gzip', 'snappy', 'lz4']).default('none').describe('codec of the records that are written'),
});

const topicAttributes = z.strictObject({
  topic: topic.describe('compacted topic with an object per key'),
  columns: z.record(text, z.enum(FIELD_TYPES)).describe('name and type of each column: `string`, `int64`, `float64` or `bool`'),
  max_lag: duration
    .default(3_600_000)
    .describe('how far the stream may fall behind the input while every version that it used is still kept'),
});

const tableAttributes = z.strictObject({
  warehouse: text.describe('where the table is, as in a job file: `duckdb:FILE`, `bigquery://…`, `snowflake://…`'),
  query: anyText.describe('SELECT with one row per key'),
  key: text.describe('column with the key'),
  version: text.optional().describe('column with the version of a row, if rows are kept instead of overwritten'),
  refresh: duration.default(300_000).describe('how often the query is run again'),
  max_age: duration.optional().describe('the process ends rather than score with older rows; 12 times `refresh` by default'),
});

const limits = z.strictObject({
  events_per_key: number
    .default(10_000)
    .describe('events per key in its windows; the oldest leave first, and scores say `capped`'),
  state: byteSize.default(2 ** 30).describe('memory of all windows; beyond it, reading pauses, then the process ends'),
  attribute_rows: number.default(1_000_000).describe('rows of attributes in memory'),
  attribute_bytes: byteSize.default(2 ** 30).describe('memory of attributes'),
  message: byteSize.default(2 ** 20).describe('size of a record; larger ones are rejected'),
  batch_events: number.max(100_000).default(5000).describe('events per transaction'),
});

const threshold = z.number().min(0, 'must be a score, 0 to 1').max(1, 'must be a score, 0 to 1');

/** The stream job file. */
export const streamSchema = z.strictObject({
  name: name.describe('identifies the stream job; part of the default `group`'),
  description: z.string().optional().describe('what the job does, for people'),
  model: bundlePlace.describe(
    'folder of the model bundle; or a version that MLflow has: models:/NAME@ALIAS or models:/NAME/VERSION',
  ),
  features_file: text.describe('feature file, `jobs/NAME.features.yaml`'),
  features: z
    .record(text, text)
    .default({})
    .describe('feature of the model → window feature, field or attribute, if their names differ'),
  kafka: kafka.describe('how to connect to Kafka'),
  group: text.optional().describe('consumer group; also the prefix of the transactional ids'),
  input: topic.describe('topic with the events'),
  output: z
    .strictObject({
      scores: topic.describe('topic for the scores'),
      dead_letter: topic.describe('topic for records that are not scored, with hashes instead of values'),
      alerts: topic.optional().describe('topic for scores whose decision is in `alert_on`'),
    })
    .describe('topics to write'),
  score: z.strictObject({ class: text.optional().describe('class whose probability is the score') }).prefault({}),
  decision: z
    .record(z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'use lower-case letters, digits, - and _'), threshold)
    .default({})
    .describe('decision → the lowest score that leads to it, ascending from 0'),
  alert_on: z.array(text).default([]).describe('decisions whose scores also go to `output.alerts`'),
  attributes: z.union([topicAttributes, tableAttributes]).optional().describe('what is known about a key'),
  limits: limits.prefault({}),
  idle: duration
    .optional()
    .describe('as of event: after this long without a record, events that wait in a partition are scored, and marked'),
  metrics: z
    .strictObject({
      port: port.describe('port for metrics and probes; `0` lets the system choose'),
      host: text.default('127.0.0.1').describe('address to listen on'),
    })
    .optional(),
});

export type StreamFile = z.output<typeof streamSchema>;

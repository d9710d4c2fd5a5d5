import { z } from 'zod';
import { BYTE_SIZE, parseByteSize } from '../../domain/byte-size.ts';
import { parseMilliseconds, SHORT_DURATION } from '../../domain/milliseconds.ts';
import { PROVIDERS } from '../../domain/provider.ts';
import { suggestProvider } from '../../suggest.ts';
import { LOG_LEVELS } from '../settings.ts';
import { FEAST_FORM, parseFeastUrl } from './feast-url.ts';
import { ORIGIN_FORM, originOf } from './origin.ts';

const text = z.string().min(1);
const number = z.int().min(1);
const port = z.int().min(0, 'must be a port, 0 to 65535').max(65_535, 'must be a port, 0 to 65535');

const byteSize = z
  .union([number, z.string().regex(BYTE_SIZE, 'write a size like 8MiB')], { error: 'write a size like 8MiB' })
  .transform((value) => (typeof value === 'number' ? value : (parseByteSize(value) ?? 0)));

/** `200ms`, `5s`, `1m` → milliseconds */
const duration = z
  .string('write a duration like 200ms, 5s or 1m')
  .regex(SHORT_DURATION, 'write a duration like 200ms, 5s or 1m')
  .transform((value) => parseMilliseconds(value) ?? 0);

/** `10%` → 10 */
const percent = z
  .string('write a share like 10%')
  .regex(/^\d{1,3}(\.\d+)?%$/, 'write a share like 10%')
  .transform((value) => Number(value.slice(0, -1)))
  .pipe(z.number().gt(0, 'must be more than 0%').max(100, 'must be at most 100%'));

const provider = text.superRefine((value, context) => {
  const [, name = value] = /^(\w+)(:\d+)?$/.exec(value) ?? [];
  if ((PROVIDERS as readonly string[]).includes(name)) return;
  context.addIssue({
    code: 'custom',
    message: `there is no execution provider ${value}; ${suggestProvider(name, PROVIDERS)}`,
  });
});

const origin = text.refine((value) => originOf(value) === value, ORIGIN_FORM);

const limits = z.strictObject({
  body: byteSize.optional().describe('bytes per request, after decompression; also the largest gRPC message'),
  rows: number.optional().describe('rows per request; by default as many as the model scores in 50 ms'),
  text: number.optional().describe('characters per string'),
  queued_rows: number.optional().describe('rows that may wait for a model, in each process'),
  streams: number.optional().describe('concurrent requests per connection: HTTP/2 streams, or pipelined requests'),
  connections: number.optional().describe('concurrent connections in each process, for HTTP and for gRPC separately'),
  head_time: duration.optional().describe('time for the headers of a request to arrive'),
  request_time: duration
    .optional()
    .describe('time for a whole request to arrive; also how long a client may leave an HTTP answer unread'),
});

/** `30s`, `12h`, `7d` → milliseconds */
const age = z
  .string('write an age like 30s, 15m, 12h or 7d')
  .regex(/^[1-9]\d{0,5}(s|m|h|d)$/, 'write an age like 30s, 15m, 12h or 7d')
  .transform(
    (value) => Number(value.slice(0, -1)) * ({ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[value.at(-1) ?? ''] ?? 0),
  );

const feastUrl = text.refine((value) => parseFeastUrl(value) !== undefined, FEAST_FORM);

const positive = duration.pipe(z.number().min(1, 'must be more than 0'));

const features = z.union(
  [
    feastUrl,
    z.strictObject({
      from: feastUrl.describe('feature server, feature service and join keys: feast://host:6566/fraud_v1?entity=user_id'),
      request: z.array(text).optional().describe('features that only requests send'),
      max_age: age.optional().describe('age after which a value counts as unknown'),
      timeout: positive.optional().describe('how long to wait for an answer'),
      concurrency: number.max(256).optional().describe('concurrent calls in each process, for each model'),
      entities: number.max(65_536).optional().describe('entities per call; more are split into several calls'),
      answer: byteSize.optional().describe('bytes per answer'),
      failures: number.optional().describe('failed calls in a row after which calls pause'),
      pause: positive.optional().describe('how long calls pause'),
    }),
  ],
  { error: FEAST_FORM },
);

const served = z.union([
  text,
  z.strictObject({
    bundle: text.describe("the bundle's folder"),
    canary: percent.optional().describe('share of the requests without a version that go to this version'),
  }),
]);

/** `serve.yaml`. Every key is also a flag, or optional. */
export const serveSchema = z.strictObject({
  models: z.array(served).min(1, 'name at least one bundle').optional(),
  host: text.optional().describe('address to listen on'),
  port: port.optional().describe('port for HTTP'),
  grpc_port: z
    .union([port, z.literal(false)], { error: 'must be a port, 0 to 65535, or false for HTTP only' })
    .optional()
    .describe('port for gRPC; false for HTTP only'),
  processes: z
    .union([number.max(256), z.literal('auto')], { error: 'must be a number of processes, or auto for one per core' })
    .optional()
    .describe('number of processes that answer requests; auto for one per core'),
  features: features.optional(),
  providers: z.array(provider).min(1).optional().describe('execution providers to try, fastest first'),
  require_gpu: z.boolean().optional().describe('refuse to serve on cpu'),
  limits: limits.optional(),
  max_delay: duration.optional().describe('longest time that a request waits for others to share its run'),
  drain: z
    .strictObject({
      lead: duration.optional().describe('how long an ending process still answers new requests'),
      end: duration.optional().describe('how long it then waits for open requests'),
    })
    .optional(),
  origins: z.array(origin).optional().describe("origins that browsers may call from, besides the server's own"),
  hosts: z
    .array(text)
    .optional()
    .describe(
      'host names that requests may use besides localhost; if the server listens beyond loopback, any, unless some are listed',
    ),
  token_file: text.optional().describe('file with the bearer tokens, one per line'),
  tls: z
    .strictObject({
      cert: text.describe('PEM file with the certificate and its chain'),
      key: text.describe('PEM file with its private key'),
      client_ca: text.optional().describe('PEM file with the CA that signs client certificates'),
    })
    .optional(),
  allow_anyone: z.boolean().optional().describe('listen beyond loopback without tokens and without client certificates'),
  metrics: z.boolean().optional().describe('answer GET /metrics'),
  log: z.enum(LOG_LEVELS).optional().describe('lowest level of log lines to write'),
});

export type ServeFile = z.output<typeof serveSchema>;

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import { loadSync } from '@grpc/proto-loader';
import { repository } from '../support/project.ts';

/** A collector for tests: decodes protobuf by OpenTelemetry's own definitions, whose release test/fixtures/opentelemetry-proto/README.md names. */
export interface Collector extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly requests: Received[];
  spans(): OtlpSpan[];
  /** Data points of a metric, in the order in which they came. */
  points(name: string): OtlpPoint[];
}

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** As protobuf's JSON has it, in snake case; enums are names, 64-bit integers texts. */
  readonly body: OtlpBody;
}

export interface OtlpSpan {
  readonly name: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  /** Milliseconds. */
  readonly began: number;
  readonly ended: number;
  readonly status: string;
}

interface OtlpPoint {
  readonly value: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly unit: string;
  readonly kind: 'sum' | 'gauge';
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface RawSpan {
  readonly name: string;
  readonly trace_id: Buffer;
  readonly span_id: Buffer;
  readonly parent_span_id: Buffer;
  readonly start_time_unix_nano: string;
  readonly end_time_unix_nano: string;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code: string } | null;
}

interface RawPoint {
  readonly as_double?: number;
  readonly as_int?: string;
  readonly attributes: readonly KeyValue[];
}

interface RawMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly data_points: readonly RawPoint[] } | null;
  readonly gauge?: { readonly data_points: readonly RawPoint[] } | null;
}

interface OtlpBody {
  readonly resource_spans?: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scope_spans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
  readonly resource_metrics?: readonly { readonly scope_metrics: readonly { readonly metrics: readonly RawMetric[] }[] }[];
}

const FOLDER = repository('test/fixtures/opentelemetry-proto');

const MESSAGES = { '/v1/traces': messageOf('trace', 'Trace'), '/v1/metrics': messageOf('metrics', 'Metrics') };

function messageOf(name: string, title: string): MessageTypeDefinition<object, object> {
  const file = `opentelemetry/proto/collector/${name}/v1/${name}_service.proto`;
  const options = { includeDirs: [FOLDER], keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
  const definition = loadSync(file, options)[`opentelemetry.proto.collector.${name}.v1.Export${title}ServiceRequest`];
  if (definition === undefined || !('deserialize' in definition)) throw new Error(`${file} has no request`);
  return definition as MessageTypeDefinition<object, object>;
}

/** Takes what is sent to it, or answers as told. */
export async function startCollector(status = 200, answer = ''): Promise<Collector> {
  const requests: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const { url: path = '', headers } = request;
      const message = MESSAGES[path as keyof typeof MESSAGES];
      if (message === undefined || headers['content-type'] !== 'application/x-protobuf')
        return void response.writeHead(404).end();
      requests.push({ path, headers, body: message.deserialize(Buffer.concat(chunks)) as OtlpBody });
      response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end(answer);
    });
  });
  const { url, close } = await listening(server);
  return {
    url,
    requests,
    spans: () => spansOf(requests),
    points: (name) => pointsOf(requests, name),
    [Symbol.asyncDispose]: close,
  };
}

/** Starts a server on a free port of this machine. */
export async function listening(server: Server): Promise<{ url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function spansOf(requests: readonly Received[]): OtlpSpan[] {
  return requests.flatMap(({ body }) =>
    (body.resource_spans ?? []).flatMap(({ resource, scope_spans }) =>
      scope_spans.flatMap(({ spans }) =>
        spans.map((span) => ({
          name: span.name,
          trace_id: span.trace_id.toString('hex'),
          span_id: span.span_id.toString('hex'),
          parent_span_id: span.parent_span_id.toString('hex'),
          attributes: valuesOf(span.attributes),
          resource: valuesOf(resource.attributes),
          began: Number(span.start_time_unix_nano) / 1e6,
          ended: Number(span.end_time_unix_nano) / 1e6,
          status: span.status?.code ?? '',
        })),
      ),
    ),
  );
}

function pointsOf(requests: readonly Received[], name: string): OtlpPoint[] {
  const metrics = requests
    .flatMap(({ body }) => body.resource_metrics ?? [])
    .flatMap(({ scope_metrics }) => scope_metrics)
    .flatMap((scope) => scope.metrics)
    .filter((metric) => metric.name === name);
  return metrics.flatMap(
    ({ unit, sum, gauge }) =>
      (sum ?? gauge)?.data_points.map((point) => ({
        value: Number(point.as_double ?? point.as_int),
        attributes: valuesOf(point.attributes),
        unit,
        kind: sum ? ('sum' as const) : ('gauge' as const),
      })) ?? [],
  );
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [kind = '', of] = Object.entries(value).find(([name]) => name !== 'value') ?? [];
      return [key, kind === 'int_value' ? Number(of) : of];
    }),
  );
}

import type { ProviderText } from '../domain/provider.ts';
import type { FeatureStore } from './feature-lookup.ts';

/** One bundle to serve. */
export interface ServedBundle {
  /** Absolute path of the bundle's folder. */
  readonly folder: string;
  /** Percent of the requests without a version that this version answers; undefined for the version that answers by default. */
  readonly canary: number | undefined;
}

/** Limits of requests. */
export interface Limits {
  /** Bytes of a body, after inflating it; also the largest gRPC message. */
  readonly body: number;
  /** Rows of a request; undefined for as many as the model scores in 50 ms. */
  readonly rows: number | undefined;
  /** Characters of a text. */
  readonly text: number;
  /** Rows that may wait for a model, in each process. */
  readonly queuedRows: number;
  /** Requests of one connection at once: HTTP/2 streams, or pipelined. */
  readonly streams: number;
  /** Connections at once, in each process: of HTTP and of gRPC each. Also gRPC streams that do not end by themselves. */
  readonly connections: number;
  /** Milliseconds for the head of a request, and for all of it; for so long an answer may also be left unread. */
  readonly headMs: number;
  readonly requestMs: number;
}

/** Everything that a serving process is told. Plain values, because they go to other processes. */
export interface ServeSettings {
  readonly bundles: readonly ServedBundle[];
  readonly host: string;
  readonly port: number;
  /** Undefined: no gRPC. */
  readonly grpcPort: number | undefined;
  readonly processes: number;
  /** Where features come from that requests do not bring; undefined: requests bring all. */
  readonly features: FeatureStore | undefined;
  readonly providers: readonly ProviderText[];
  readonly requireGpu: boolean;
  readonly limits: Limits;
  /** Most milliseconds that a request waits for others to share its run. */
  readonly maxDelayMs: number;
  /** Milliseconds during which a process that ends still answers, and then until it ends whatever is still open. */
  readonly drain: { readonly leadMs: number; readonly endMs: number };
  /** Origins that browsers may call from, beside the server's own. */
  readonly origins: readonly string[];
  /** Host names that requests may ask for, beside those of loopback; empty beyond loopback: any. */
  readonly hosts: readonly string[];
  /** SHA-256 of each bearer token, hex; empty: no token is asked for. */
  readonly tokens: readonly string[];
  readonly tls: Tls | undefined;
  /** Whether `GET /metrics` answers. */
  readonly metrics: boolean;
  readonly log: LogLevel;
}

/** The least urgent lines that are written; requests are `debug`. */
export const LOG_LEVELS = ['warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** PEM texts. With `clientCa`, clients need a certificate signed by it. */
export interface Tls {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

export const DEFAULT_LIMITS: Limits = {
  body: 8 * 2 ** 20,
  rows: undefined,
  text: 64 * 2 ** 10,
  queuedRows: 65_536,
  streams: 100,
  connections: 4096,
  headMs: 10_000,
  requestMs: 30_000,
};

import type { ProviderText } from '../domain/provider.ts';
import type { FeatureStore } from './feature-lookup.ts';

/** A bundle to serve. */
export interface ServedBundle {
  /** Absolute path of the bundle's folder. */
  readonly folder: string;
  /** Percent of requests without a version that this version answers; undefined for the default version. */
  readonly canary: number | undefined;
}

/** Limits of requests. */
export interface Limits {
  /** Most bytes of a decompressed body; also the largest gRPC message. */
  readonly body: number;
  /** Most rows per request; undefined for as many as the model scores in 50 ms. */
  readonly rows: number | undefined;
  /** Most characters of a string. */
  readonly text: number;
  /** Most rows that wait for a model, per process. */
  readonly queuedRows: number;
  /** Most concurrent requests per connection: HTTP/2 streams, or pipelined. */
  readonly streams: number;
  /** Most concurrent connections per process, for HTTP and gRPC each. Also most gRPC streams that do not end on their own. */
  readonly connections: number;
  /** Milliseconds for the head of a request, and for all of it; an answer may stay unread for `requestMs`, too. */
  readonly headMs: number;
  readonly requestMs: number;
}

/** All settings of a serving process. Plain values, because they are sent to other processes. */
export interface ServeSettings {
  readonly bundles: readonly ServedBundle[];
  readonly host: string;
  readonly port: number;
  /** Undefined for no gRPC. */
  readonly grpcPort: number | undefined;
  readonly processes: number;
  /** The store of features that requests do not bring; undefined if they bring all. */
  readonly features: FeatureStore | undefined;
  readonly providers: readonly ProviderText[];
  readonly requireGpu: boolean;
  readonly limits: Limits;
  /** Most milliseconds that a request waits for others to share its run. */
  readonly maxDelayMs: number;
  /** An ending process answers for `leadMs` milliseconds; whatever is still open `endMs` later is cut off. */
  readonly drain: { readonly leadMs: number; readonly endMs: number };
  /** Origins from which browsers may call, besides the server's own. */
  readonly origins: readonly string[];
  /** Host names that requests may use, besides those of loopback; if empty and not on loopback, any. */
  readonly hosts: readonly string[];
  /** SHA-256 of each bearer token, hex; if empty, no token is required. */
  readonly tokens: readonly string[];
  readonly tls: Tls | undefined;
  /** Whether `GET /metrics` answers. */
  readonly metrics: boolean;
  readonly log: LogLevel;
}

/** The least urgent level to log; requests are `debug`. */
export const LOG_LEVELS = ['warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Contents of PEM files. With `clientCa`, clients need a certificate that it signed. */
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

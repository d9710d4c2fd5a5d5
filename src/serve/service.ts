import type { Models } from './models.ts';
import type { OnlineModel } from './online-model.ts';
import type { ServeSettings } from './settings.ts';

/** What one answered or refused inference was, for metrics and log. It holds no value of a feature. */
export interface Observation {
  readonly protocol: 'predict' | 'v1' | 'rest' | 'grpc';
  readonly model: OnlineModel | undefined;
  /** `ok`, or the kind of the failure. */
  readonly outcome: string;
  readonly rows: number;
  /** One `Rejection` per row; undefined if nothing was scored. */
  readonly rejected: Int32Array | undefined;
  readonly seconds: number;
}

/** The metrics of all processes, as Prometheus reads them. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** Lines for people and log collectors. No line holds a value of a feature, a token or a body. */
export interface Log {
  warn(message: string, fields?: object): void;
  /** A request at a time. */
  debug(message: string, fields?: object): void;
  /** A failure that is nobody's mistake but ours, with its stack. */
  bug(error: unknown, fields?: object): void;
}

/** What the protocols know of the process that they are in. */
export interface Service {
  readonly models: Models;
  readonly settings: ServeSettings;
  /** Whether all models proved themselves and the server is not ending. */
  ready(): boolean;
  /** Whether connections are to be closed with their next answer. */
  draining(): boolean;
  observe(observation: Observation): void;
  /** Undefined if `settings.metrics` is false. */
  readonly metrics: (() => Promise<MetricsText>) | undefined;
  readonly log: Log;
}

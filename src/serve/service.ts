import type { Models } from './models.ts';
import type { OnlineModel } from './online-model.ts';
import type { ServeSettings } from './settings.ts';

/** Describes one inference, answered or refused, for metrics and log. It holds no feature values. */
export interface Observation {
  readonly protocol: 'predict' | 'v1' | 'rest' | 'grpc';
  readonly model: OnlineModel | undefined;
  /** `ok`, or the kind of failure. */
  readonly outcome: string;
  readonly rows: number;
  /** One `Rejection` per row; undefined if nothing was scored. */
  readonly rejected: Int32Array | undefined;
  readonly seconds: number;
}

/** The metrics of all processes in Prometheus format. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** Lines for people and log collectors. No line holds a feature value, a token or a body. */
export interface Log {
  warn(message: string, fields?: object): void;
  /** One line per request. */
  debug(message: string, fields?: object): void;
  /** A failure that is our own fault, with its stack. */
  bug(error: unknown, fields?: object): void;
}

/** What the protocols know of their process. */
export interface Service {
  readonly models: Models;
  readonly settings: ServeSettings;
  /** Whether all models proved themselves and the server is not ending. */
  ready(): boolean;
  /** Whether each answer should close its connection. */
  draining(): boolean;
  observe(observation: Observation): void;
  /** Undefined if `settings.metrics` is false. */
  readonly metrics: (() => Promise<MetricsText>) | undefined;
  readonly log: Log;
}

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

/** What the protocols know of the process that they are in. */
export interface Service {
  readonly models: Models;
  readonly settings: ServeSettings;
  /** Whether all models proved themselves and the process is not ending. */
  ready(): boolean;
  /** Whether connections are to be closed with their next answer. */
  draining(): boolean;
  observe(observation: Observation): void;
}

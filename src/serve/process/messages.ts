import type { ErrorParts } from '../../error-parts.ts';
import type { ServeSettings } from '../settings.ts';
import type { Metric } from './metric.ts';

/** Why a process stops answering: the server ends, or other processes answer instead. */
export type Leaving = 'ending' | 'replaced';

/** Where a process listens, including ports that the system chose. */
export interface Addresses {
  readonly http: string;
  readonly grpc: string | undefined;
}

/** One model that a process has loaded and proved. */
export interface LoadedModel {
  readonly name: string;
  readonly version: string;
  /** SHA-256, hex, of the model file and of its description. */
  readonly digest: string;
  readonly definitionDigest: string;
  readonly sameBits: boolean;
  /** Most rows per request, as this process measured it. */
  readonly maxRows: number;
  /** The largest difference seen between a value alone and among other rows; 0 if bits are the same. */
  readonly largestDifference: number;
}

/** What the supervisor sends to a process. */
export type Order =
  | { readonly type: 'load'; readonly settings: ServeSettings; readonly json: boolean }
  /** `maxRows`: per model, the lowest that any process measured, so that all answer alike. */
  | { readonly type: 'listen'; readonly maxRows: readonly number[] }
  | { readonly type: 'leave'; readonly why: Leaving }
  | { readonly type: 'collect'; readonly question: number }
  /** Metrics of all processes, which this process asked for. */
  | { readonly type: 'metrics'; readonly question: number; readonly processes: readonly (readonly Metric[])[] };

/** What a process sends to the supervisor. */
export type Answer =
  /** The process listens for orders; earlier ones are lost. */
  | { readonly type: 'started' }
  | { readonly type: 'loaded'; readonly models: readonly LoadedModel[] }
  | { readonly type: 'listening'; readonly addresses: Addresses }
  | { readonly type: 'failed'; readonly error: ErrorParts }
  | { readonly type: 'collected'; readonly question: number; readonly metrics: readonly Metric[] }
  | { readonly type: 'ask metrics'; readonly question: number }
  /** Last message of a process that was told to leave, or that must be replaced. */
  | { readonly type: 'left'; readonly metrics: readonly Metric[] };

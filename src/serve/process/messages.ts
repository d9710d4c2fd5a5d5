import type { ErrorParts } from '../../error-parts.ts';
import type { ServeSettings } from '../settings.ts';
import type { Metric } from './metric.ts';

/** Why a process stops answering: the server ends, or other processes answer instead. */
export type Leaving = 'ending' | 'replaced';

/** Where a process listens, with the ports that the system chose. */
export interface Addresses {
  readonly http: string;
  readonly grpc: string | undefined;
}

/** One model that a process has loaded and proved. */
export interface LoadedModel {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the model file, and of its description, hex. */
  readonly digest: string;
  readonly definitionDigest: string;
  readonly sameBits: boolean;
  /** Most rows of a request, as this process measured it. */
  readonly maxRows: number;
  /** The largest difference that was seen of a value with the rows beside it; 0 if bits are the same. */
  readonly largestDifference: number;
}

/** What the supervisor tells a process. */
export type Order =
  | { readonly type: 'load'; readonly settings: ServeSettings; readonly json: boolean }
  /** The rows that each model takes are the fewest that any process measured, so that all answer alike. */
  | { readonly type: 'listen'; readonly maxRows: readonly number[] }
  | { readonly type: 'leave'; readonly why: Leaving }
  | { readonly type: 'collect'; readonly question: number }
  /** Metrics of all processes, which this process had asked for. */
  | { readonly type: 'metrics'; readonly question: number; readonly processes: readonly (readonly Metric[])[] };

/** What a process tells the supervisor. */
export type Answer =
  /** The process hears; what it is told before is lost. */
  | { readonly type: 'started' }
  | { readonly type: 'loaded'; readonly models: readonly LoadedModel[] }
  | { readonly type: 'listening'; readonly addresses: Addresses }
  | { readonly type: 'failed'; readonly error: ErrorParts }
  | { readonly type: 'collected'; readonly question: number; readonly metrics: readonly Metric[] }
  | { readonly type: 'ask metrics'; readonly question: number }
  /** The last message of a process that was told to leave, or that must be replaced. */
  | { readonly type: 'left'; readonly metrics: readonly Metric[] };

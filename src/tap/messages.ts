import type { ProviderText } from '../domain/provider.ts';
import type { Column } from '../domain/schema.ts';
import type { Signature } from '../domain/signature.ts';
import type { EarlierAttempt } from '../domain/tapped-window.ts';
import type { TextCounts } from '../domain/text-counts.ts';
import type { ErrorParts } from '../error-parts.ts';
import type { ModelFile } from '../runtime/model-file.ts';
import type { SourceSession } from '../warehouse/tapping.ts';
import type { TapColumn } from './columns.ts';
import type { SharedRing } from './ring.ts';

/** The setup of the engine's thread; plain data. */
export interface EngineSetup {
  readonly session: SourceSession;
  readonly ring: SharedRing;
  readonly columns: readonly TapColumn[];
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Estimated duration in seconds. */
  readonly seconds: number;
  /** The existing folder of the attempt. */
  readonly folder: string;
  /** Earlier attempts of the run whose scores may be reused. */
  readonly earlier: readonly EarlierAttempt[];
}

/** What the database counted while it read the window. */
export interface Entered {
  readonly rows: number;
  /** See `FrozenChunk.checksum`. */
  readonly checksum: string;
  /** Number of keys that occur more than once; the folder `REPEATED` has them. */
  readonly duplicates: number;
  /** Number of rows with a null in the key. */
  readonly nullKeys: number;
}

export type EngineMessage =
  | { readonly type: 'entered'; readonly entered: Entered }
  | { readonly type: 'failed'; readonly error: ErrorParts };

/** The setup of a scoring worker's thread; plain data. */
export interface ScoringSetup {
  readonly ring: SharedRing;
  readonly kinds: readonly TapColumn['kind'][];
  readonly model: ModelFile;
  readonly signature: Signature;
  readonly features: readonly Column[];
  readonly provider: ProviderText;
  readonly requireGpu: boolean;
  /** The existing file of the outcomes. */
  readonly outcomes: string;
  /** Whether rows come with an earlier outcome and the hash of its features. */
  readonly reuses: boolean;
  /** When scoring was requested, in milliseconds since the epoch. */
  readonly began: number;
}

/** The result of one worker. */
export interface Worked {
  readonly rows: number;
  /** Rows whose earlier score was reused. */
  readonly reused: number;
  readonly texts: TextCounts;
  /** The distinct rejections that occurred. */
  readonly rejections: readonly number[];
  /** Seconds spent opening the session, waiting for batches, encoding, in the model, and writing outcomes. */
  readonly seconds: {
    readonly start: number;
    readonly wait: number;
    readonly encode: number;
    readonly score: number;
    readonly write: number;
  };
  /** When its first batch was scored, in milliseconds since the epoch; undefined if it had none. */
  readonly first: number | undefined;
  readonly halvedTo?: number;
}

export type ScoringMessage =
  | { readonly type: 'worked'; readonly worked: Worked }
  | { readonly type: 'failed'; readonly error: ErrorParts };

import type { ProviderText } from '../domain/provider.ts';
import type { Column } from '../domain/schema.ts';
import type { Signature } from '../domain/signature.ts';
import type { EarlierAttempt } from '../domain/tapped-window.ts';
import type { TextCounts } from '../domain/text-counts.ts';
import type { ModelFile } from '../runtime/model-file.ts';
import type { ErrorParts } from '../score/messages.ts';
import type { SourceSession } from '../warehouse/tapping.ts';
import type { TapColumn } from './columns.ts';
import type { SharedRing } from './ring.ts';

/** What the engine's thread needs; plain data. */
export interface EngineSetup {
  readonly session: SourceSession;
  readonly ring: SharedRing;
  readonly columns: readonly TapColumn[];
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Seconds that it is guessed to take. */
  readonly seconds: number;
  /** Folder that the rows are written to; it is there. */
  readonly folder: string;
  /** Outcomes of earlier attempts of the run whose scores may be taken again. */
  readonly earlier: readonly EarlierAttempt[];
}

/** Counted while rows entered, by the database itself. */
export interface Entered {
  readonly rows: number;
  /** See `FrozenChunk.checksum`. */
  readonly checksum: string;
  /** Keys that occur more than once, in the folder `repeated` beside the rows. */
  readonly duplicates: number;
  /** Rows without a whole key. */
  readonly nullKeys: number;
}

export type EngineMessage =
  | { readonly type: 'entered'; readonly entered: Entered }
  | { readonly type: 'failed'; readonly error: ErrorParts };

/** What a scoring worker's thread needs; plain data. */
export interface ScoringSetup {
  readonly ring: SharedRing;
  readonly kinds: readonly TapColumn['kind'][];
  readonly model: ModelFile;
  readonly signature: Signature;
  readonly features: readonly Column[];
  readonly provider: ProviderText;
  readonly requireGpu: boolean;
  /** File of the outcomes, which is there. */
  readonly outcomes: string;
  /** Whether rows come with an earlier outcome and the hash of its features. */
  readonly reuses: boolean;
  /** When the thread was asked for, in milliseconds since the epoch. */
  readonly began: number;
}

/** What one worker did. */
export interface Worked {
  readonly rows: number;
  /** Rows whose earlier score was taken. */
  readonly reused: number;
  readonly texts: TextCounts;
  /** Rejections that there were, each once. */
  readonly rejections: readonly number[];
  /** Seconds: until the session was open, waiting for a batch, encoding, in the model, writing outcomes. */
  readonly seconds: {
    readonly start: number;
    readonly wait: number;
    readonly encode: number;
    readonly score: number;
    readonly write: number;
  };
  /** Milliseconds since the epoch when its first batch was scored; undefined where it had none. */
  readonly first: number | undefined;
  readonly halvedTo?: number;
}

export type ScoringMessage =
  | { readonly type: 'worked'; readonly worked: Worked }
  | { readonly type: 'failed'; readonly error: ErrorParts };

import type { Log } from '../log.ts';
import type { AttributeLimits } from './limits.ts';

/** What attributes need besides their settings. */
export interface AttributeOptions {
  /** Name of the job, for the statements that a warehouse records. */
  readonly job: string;
  /** Project root, and credentials of a warehouse. */
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Reads topics. It stays open. */
  readonly log: Log;
  /** The longest window with its lateness; see `horizonMs`. */
  readonly horizonMs: number;
  readonly limits: AttributeLimits;
  /** Names of the columns that are scored with, in the order in which they are wanted; undefined for all. */
  readonly need: readonly string[] | undefined;
  readonly signal: AbortSignal;
  /** Shows what does not stop the process. */
  readonly warn: (message: string) => void;
  /** Is called when a newer state is in place: after each load of a query, after each batch of a topic. */
  readonly onRefresh?: (() => void) | undefined;
  /** Is called once if the attributes can no longer be trusted: the process should end with this error. */
  readonly onFailure: (error: unknown) => void;
  /** How often a topic is looked at: whether it is still the one that is read. 30 s by default. */
  readonly watchMs?: number | undefined;
}

import type { Log } from '../log.ts';
import type { AttributeLimits } from './limits.ts';

/** What attributes need besides their settings. */
export interface AttributeOptions {
  /** Name of the job, recorded by the warehouse with its statements. */
  readonly job: string;
  /** Project root; the environment holds warehouse credentials. */
  readonly root: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Reads topics. The caller keeps it open. */
  readonly log: Log;
  /** Longest window plus lateness; see `horizonMs`. */
  readonly horizonMs: number;
  readonly limits: AttributeLimits;
  /** Names of the columns that scoring uses, in that order; undefined for all. */
  readonly need: readonly string[] | undefined;
  readonly signal: AbortSignal;
  /** Reports problems that do not stop the process. */
  readonly warn: (message: string) => void;
  /** Called when newer rows are in place: after each load of a query, after each batch of a topic. */
  readonly onRefresh?: (() => void) | undefined;
  /** Called once if the attributes can no longer be trusted: the process should end with this error. */
  readonly onFailure: (error: unknown) => void;
  /** How often to check that the topic is still the same one. 30 s by default. */
  readonly watchMs?: number | undefined;
}

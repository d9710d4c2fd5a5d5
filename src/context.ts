import type { Console } from './terminal/console.ts';
import type { Subject } from './terminal/subject.ts';

/** Everything impure that a command needs. */
export interface Context {
  /** Absolute path of the working folder. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Most bytes of memory that the process may use; undefined if neither `--max-memory` nor SCORE_BATCH_MEMORY is set. */
  readonly maxMemory: number | undefined;
  /** Epoch milliseconds, read once per invocation. */
  readonly now: number;
  /** Start of the invocation on the `performance.now()` clock; 0 if the process runs a single command. */
  readonly began: number;
  readonly console: Console;
  /** Job, window and run for errors and log lines. Commands fill it in as soon as they are known. */
  readonly subject: Subject;
  /** Aborted by SIGINT, SIGTERM, SIGHUP and the `--timeout` deadline; its reason is an `Interrupted`. */
  readonly signal: AbortSignal;
  /** For a command that serves until a signal ends it: SIGHUP reloads, and the end may take longer; see `Ending`. */
  readonly serving: (how: { reload(): void; readonly graceMs: number }) => void;
  /** Registers clean-up for the end of the command, whatever its outcome. An open connection would keep the process alive. */
  readonly atEnd: (work: () => Promise<void>) => void;
  /** Shared by all windows of a call, until its very end. Without it, runs have no observers. */
  readonly invocation?: Pick<Context, 'atEnd' | 'console'>;
}

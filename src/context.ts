import type { Console } from './terminal/console.ts';
import type { Subject } from './terminal/subject.ts';

/** Everything impure that a command gets from outside. */
export interface Context {
  /** Absolute path of the folder that the command works in. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Epoch milliseconds; read once per invocation. */
  readonly now: number;
  /** When the invocation began, as `performance.now()` tells it: 0 where the process is there for nothing else. */
  readonly began: number;
  readonly console: Console;
  /** Filled in as soon as the command knows what it is about; errors and log lines name it. */
  readonly subject: Subject;
  /** Aborted by SIGINT, SIGTERM, SIGHUP and the deadline of `--timeout`, with an `Interrupted` as its reason. */
  readonly signal: AbortSignal;
  /** Has something done when the command is over, however it ended; a connection that stays open would keep the process. */
  readonly atEnd: (work: () => Promise<void>) => void;
}

import type { Context } from '../context.ts';
import type { Console } from '../terminal/console.ts';
import { NO_LIVE } from '../terminal/live.ts';
import type { Subject } from '../terminal/subject.ts';

/** Time for a window's connections to close, in milliseconds. */
const CLOSE_MS = 5000;

/** The context of one window among several; disposing it closes the window's connections. */
export interface WindowContext extends AsyncDisposable {
  readonly context: Context;
}

/** @param alone whether no other window runs beside it, so that it may show its progress */
export function windowContext(context: Context, window: string, { alone }: { readonly alone: boolean }): WindowContext {
  const closing: (() => Promise<void>)[] = [];
  const subject: Subject = { ...context.subject, window };
  return {
    context: {
      ...context,
      subject,
      began: performance.now(),
      console: consoleOf(context, subject, alone),
      atEnd: (work) => void closing.push(work),
    },
    async [Symbol.asyncDispose]() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([Promise.allSettled(closing.map((close) => close())), late]);
      clearTimeout(timer);
    },
  };
}

/** Shows the steps of a window only with `-v`, and names the window in every line. */
function consoleOf({ console, subject: shared }: Context, subject: Subject, alone: boolean): Console {
  // Fields of a log line come from the shared subject, and writing a line is synchronous.
  const as = (say: () => void): void => {
    const before = { ...shared };
    Object.assign(shared, subject);
    say();
    for (const name of ['job', 'window', 'runId'] as const) {
      if (before[name] === undefined) delete shared[name];
      else shared[name] = before[name];
    }
  };
  const line = (message: string): string => `${subject.window}: ${message}`;
  return {
    info: (message) => as(() => console.debug(line(message))),
    debug: (message) => as(() => console.debug(line(message))),
    warn: (message) => as(() => console.warn(line(message))),
    error: (text, fields) => as(() => console.error(text, fields)),
    live: alone ? console.live : NO_LIVE,
  };
}

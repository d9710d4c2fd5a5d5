import cliProgress from 'cli-progress';
import { grouped } from '../domain/counted.ts';
import { printable, printableJson } from '../domain/printable.ts';
import { withoutSecrets } from '../secrets.ts';
import { type Palette, PLAIN } from './colour.ts';
import { type Subject, subjectFields } from './subject.ts';

/** How much goes to stderr. */
type Verbosity = 'quiet' | 'normal' | 'verbose';

/** Messages for people. They go to stderr, since stdout is for data. */
export interface Console {
  /** @param fields further fields for log collectors */
  info(message: string, fields?: object): void;
  /** The error that ended the command. */
  error(text: string, fields: object): void;
  warn(message: string): void;
  /** Only with `-v`. */
  debug(message: string): void;
  /** @param total undefined if unknown */
  progress(what: string, total?: number): Progress;
}

interface Progress {
  advance(by: number): void;
  stop(): void;
}

interface Options {
  readonly verbosity: Verbosity;
  /** One JSON object per line, for log collectors. */
  readonly json: boolean;
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Added to every JSON line. */
  readonly subject: Subject;
  /** Colours of the stream; none by default. */
  readonly palette?: Palette;
}

/** Minimum time between progress lines if stderr is not a terminal. */
const PROGRESS_INTERVAL_MS = 5_000;

export function createConsole({ verbosity, json, stream, subject, palette = PLAIN }: Options): Console {
  const say = (level: 'info' | 'warn' | 'debug' | 'error', message: string, fields: object = {}): void => {
    if (verbosity === 'quiet' && (level === 'info' || level === 'debug')) return;
    if (verbosity !== 'verbose' && level === 'debug') return;
    const line = json
      ? printableJson({ time: new Date().toISOString(), level, message, ...subjectFields(subject), ...fields })
      : painted(printable(level === 'warn' ? `warning: ${message.replaceAll('\n', '\n  ')}` : message), palette);
    stream.write(`${withoutSecrets(line)}\n`);
  };
  return {
    info: (message, fields) => say('info', message, fields),
    error: (text, fields) => say('error', text, fields),
    warn: (message) => say('warn', message),
    debug: (message) => say('debug', message),
    progress: (what, total) =>
      verbosity === 'quiet'
        ? { advance() {}, stop() {} }
        : stream.isTTY && !json
          ? bar(what, total, stream)
          : lines(what, total, say),
  };
}

/** Colours the words of ours by which a line is found, and the hint at the end of an error. */
function painted(text: string, { red, yellow, dim }: Palette): string {
  return text
    .replace(/^error:/, red)
    .replace(/^warning:/, yellow)
    .replace(/^hint: .*$/ms, dim);
}

function bar(what: string, total: number | undefined, stream: NodeJS.WritableStream): Progress {
  const progress = new cliProgress.SingleBar(
    {
      format: total === undefined ? `${what} {value}` : `${what} {bar} {value}/{total}`,
      barsize: 20,
      stream,
      hideCursor: true,
      clearOnComplete: true,
    },
    cliProgress.Presets.shades_grey,
  );
  progress.start(total ?? 0, 0);
  return { advance: (by) => progress.increment(by), stop: () => progress.stop() };
}

function lines(what: string, total: number | undefined, say: (level: 'info', message: string) => void): Progress {
  let done = 0;
  let last = performance.now();
  return {
    advance(by) {
      done += by;
      if (performance.now() - last < PROGRESS_INTERVAL_MS) return;
      last = performance.now();
      say('info', `${what}: ${grouped(done)}${total === undefined ? '' : ` of ${grouped(total)}`}`);
    },
    stop() {},
  };
}

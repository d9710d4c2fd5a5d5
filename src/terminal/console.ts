import { printable, printableJson } from '../domain/printable.ts';
import { withoutSecrets } from '../secrets.ts';
import { type Palette, PLAIN } from './colour.ts';
import { createLive, type Live, NO_LIVE } from './live.ts';
import { createScreen, type TerminalStream } from './screen.ts';
import { type Subject, subjectFields } from './subject.ts';

/** How much goes to stderr. */
type Verbosity = 'quiet' | 'normal' | 'verbose';

/** Messages for people. They go to stderr, since stdout is for data. */
export interface Console {
  /** @param fields further fields for log collectors */
  info(message: string, fields?: object): void;
  /** The error that ended the command. */
  error(text: string, fields: object): void;
  warn(message: string, fields?: object): void;
  /** Only with `-v`. */
  debug(message: string, fields?: object): void;
  /** Shows progress while the process works. */
  readonly live: Live;
}

interface Options {
  readonly verbosity: Verbosity;
  /** One JSON object per line, for log collectors. */
  readonly json: boolean;
  readonly stream: TerminalStream;
  /** Added to every JSON line. */
  readonly subject: Subject;
  /** Colours of the stream; none by default. */
  readonly palette?: Palette;
  /** Whether the terminal cannot rewrite lines; by default false. */
  readonly dumb?: boolean;
  /** Whether the terminal shows more than ASCII; by default true. */
  readonly unicode?: boolean;
  /** Milliseconds between progress lines if there is no terminal; 0 for none. */
  readonly progressMs?: number;
}

const PROGRESS_MS = 30_000;

export function createConsole(options: Options): Console {
  const { verbosity, json, stream, subject, palette = PLAIN } = options;
  const screen = verbosity === 'normal' && !json && stream.isTTY && !options.dumb ? createScreen(stream) : undefined;
  const write = (line: string): void => {
    if (screen === undefined) stream.write(line);
    else screen.write(line);
  };
  const say = (level: 'info' | 'warn' | 'debug' | 'error', message: string, fields: object = {}): void => {
    if (verbosity === 'quiet' && (level === 'info' || level === 'debug')) return;
    if (verbosity !== 'verbose' && level === 'debug') return;
    const line = json
      ? printableJson({ time: new Date().toISOString(), level, message, ...subjectFields(subject), ...fields })
      : painted(printable(level === 'warn' ? `warning: ${message.replaceAll('\n', '\n  ')}` : message), palette);
    write(`${withoutSecrets(line)}\n`);
  };
  // UTC, as in the JSON lines and the ledger.
  const time = () => (json ? '' : `${new Date().toISOString().slice(0, 19)}Z `);
  const live = {
    screen,
    interval: options.progressMs ?? PROGRESS_MS,
    say: (message: string, fields: object) => say('info', `${time()}${message}`, fields),
    palette,
    unicode: options.unicode ?? true,
  };
  return {
    info: (message, fields) => say('info', message, fields),
    error: (text, fields) => say('error', text, fields),
    warn: (message, fields) => say('warn', message, fields),
    debug: (message, fields) => say('debug', message, fields),
    live: verbosity === 'quiet' ? NO_LIVE : createLive(live),
  };
}

/** Colours our own keywords, which make a line easy to find, and the hint at the end of an error. */
function painted(text: string, { red, yellow, dim }: Palette): string {
  return text
    .replace(/^error:/, red)
    .replace(/^warning:/, yellow)
    .replace(/^hint: .*$/ms, dim);
}

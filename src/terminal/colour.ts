/** How many colours a stream shows: 0 for none, 1 for 16, 2 for 256, 3 for all. */
type ColourLevel = 0 | 1 | 2 | 3;

/** Wraps a text in a colour, line by line; returns it as it is where colours are off. */
type Paint = (text: string) => string;

/** What texts are painted with. Paint a text after `printable`, which escapes every control character. */
export interface Palette {
  /** Errors, and what is removed. */
  readonly red: Paint;
  /** What is added, and what is done. */
  readonly green: Paint;
  /** Warnings, and what is changed. */
  readonly yellow: Paint;
  /** Hints, and whatever matters less. */
  readonly dim: Paint;
  /** Headings. */
  readonly bold: Paint;
}

const plain: Paint = (text) => text;

/** Without colours. */
export const PLAIN: Palette = { red: plain, green: plain, yellow: plain, dim: plain, bold: plain };

const COLOURS: Palette = {
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  dim: paint(2, 22),
  bold: paint(1, 22),
};

/**
 * Decides for stdout and stderr alike. FORCE_COLOR comes first (0 or false: none; 1, 2, 3; true or empty: 1), as in Node; then
 * NO_COLOR, if it is not empty (https://no-color.org); then whether the stream is a terminal that is not dumb.
 */
export function colourLevel(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): ColourLevel {
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: terminal = '', COLORTERM: more = '' } = environment;
  if (forced !== undefined) return forcedLevel(forced);
  if (none || stream.isTTY !== true || terminal === 'dumb') return 0;
  if (/^(truecolor|24bit)$/.test(more)) return 3;
  return /256/.test(terminal) ? 2 : 1;
}

function forcedLevel(forced: string): ColourLevel {
  if (forced === '' || forced === 'true') return 1;
  return ([1, 2, 3] as const).find((level) => String(level) === forced) ?? 0;
}

/** The palette for a stream: every terminal with colours has these. */
export function paletteOf(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): Palette {
  return colourLevel(stream, environment) === 0 ? PLAIN : COLOURS;
}

/** A pager shows each line by itself, so a colour never spans two. */
function paint(open: number, close: number): Paint {
  return (text) => text.replaceAll(/[^\n]+/g, (line) => `\u001b[${open}m${line}\u001b[${close}m`);
}

/** Wraps a string in a colour, line by line; returns it unchanged if colours are off. */
type Paint = (text: string) => string;

/** Colours for text. Colour a string after `printable`, which escapes every control character. */
export interface Palette {
  /** Errors and removals. */
  readonly red: Paint;
  /** Additions and successes. */
  readonly green: Paint;
  /** Warnings and changes. */
  readonly yellow: Paint;
  /** Hints and less important text. */
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
 * Whether to use colours on a stream. As in Node, FORCE_COLOR comes first (1, 2, 3, true or empty: yes; anything else: no).
 * Next comes NO_COLOR, unless empty (https://no-color.org), then whether the stream is a terminal that is not dumb.
 */
export function hasColours(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: terminal = '' } = environment;
  if (forced !== undefined) return ['', 'true', '1', '2', '3'].includes(forced);
  return !none && stream.isTTY === true && terminal !== 'dumb';
}

/** The palette for a stream. Every terminal with colours has these. */
export function paletteOf(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): Palette {
  return hasColours(stream, environment) ? COLOURS : PLAIN;
}

/** Pagers show each line separately, so a colour never spans two. */
function paint(open: number, close: number): Paint {
  return (text) => text.replaceAll(/[^\n]+/g, (line) => `\u001b[${open}m${line}\u001b[${close}m`);
}

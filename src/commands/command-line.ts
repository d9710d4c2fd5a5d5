import type { Command } from 'commander';
import type { Context } from '../context.ts';
import type { Palette } from '../terminal/colour.ts';

/** A command's result. */
interface Shown {
  readonly data: object;
  readonly text: string;
  /** Colours the text. Runs last, because control characters in the text are escaped before. */
  readonly paint?: PaintText;
}

/** Colours a command's text; with a palette without colours it must return the text unchanged. */
export type PaintText = (text: string, palette: Palette) => string;

/** What the commands of a group share. Each action loads its own code, so that `--help` does not wait for a model runtime. */
export interface CommandLine {
  readonly program: Command;
  context(): Context;
  /** Prints JSON with --json, otherwise text. */
  show(result: Shown): void;
  /** Prints JSON with --json. The text is already on stderr. */
  showData(data: object): void;
}

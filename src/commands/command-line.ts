import type { Command } from 'commander';
import type { Context } from '../context.ts';

/** Colours a text that has no escapes. It is called only where colours are wanted. */
export type Paint = (text: string) => string;

/** What the commands of a group share. Each action loads its own code, so that `--help` does not wait for a model runtime. */
export interface CommandLine {
  readonly program: Command;
  context(): Context;
  /** Prints JSON with --json, else text. */
  show(result: { readonly data: object; readonly text: string; readonly paint?: Paint }): void;
  /** Prints JSON with --json. The text is on stderr already. */
  showData(data: object): void;
}

/** A stream that may be a terminal. */
export type TerminalStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Changing lines at the bottom of a terminal, below permanent ones. */
export interface Screen {
  /** Characters per line; one less than the terminal has, since the last column may wrap. */
  readonly width: number;
  /** Writes permanent text above the lines. @param text ends with a line feed */
  write(text: string): void;
  /** Replaces the lines. No line may be wider than `width`. */
  draw(lines: readonly string[]): void;
}

/** Erases from the cursor to the end of the screen. */
const ERASE = '\u001b[J';

/**
 * The cursor rests at the start of the first line. One sequence then erases all lines, even if the terminal has become narrower
 * and wrapped them. If the process is killed, the terminal is left as after any other command.
 */
export function createScreen(stream: TerminalStream): Screen {
  let drawn: readonly string[] = [];
  const erase = () => (drawn.length > 0 ? ERASE : '');
  return {
    get width() {
      return Math.max(1, (stream.columns || 80) - 1);
    },
    write(text) {
      stream.write(`${erase()}${text}${linesOf(drawn)}`);
    },
    draw(lines) {
      // The cursor cannot return to a line that has scrolled off the top.
      const fitting = lines.slice(0, Math.max(1, (stream.rows || 24) - 1));
      if (fitting.length === drawn.length && fitting.every((line, i) => line === drawn[i])) return;
      stream.write(`${erase()}${linesOf(fitting)}`);
      drawn = fitting;
    },
  };
}

function linesOf(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${lines.join('\n')}\r${lines.length > 1 ? `\u001b[${lines.length - 1}A` : ''}`;
}

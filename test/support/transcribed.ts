import { expect } from 'vitest';

const RUN = /\d{4}-W\d{2}-[0-9a-f]{12}\b/g;

export interface Transcribed {
  /** An argument of the page with real run ids. @throws if no output has shown the id so far */
  actual(argument: string): string;
  /** Each line of the page's text is the next line of the output; a line `...` stands for any number of lines. */
  check(text: string, output: string): void;
}

/**
 * Checks output that a page shows against what commands print. A run id of the page stands for the one that a command has
 * printed in its place; times and seconds may differ.
 *
 * @param replaced texts of the machine that the page shows as others
 */
export function transcribed(replaced: Readonly<Record<string, string>>): Transcribed {
  /** Run ids of the page to real ones. */
  const ids = new Map<string, string>();

  const bind = (line: string, output: string): void => {
    const real = output.match(RUN) ?? [];
    for (const [i, id] of (line.match(RUN) ?? []).entries()) {
      const known = ids.get(id);
      if (known === undefined) expect([...ids.values()], `${id} is a run of its own`).not.toContain(real[i]);
      else expect(real[i]).toBe(known);
      ids.set(id, real[i] ?? '');
    }
  };

  return {
    actual: (argument) =>
      argument.replaceAll(RUN, (id) => {
        const real = ids.get(id);
        if (real === undefined) throw new Error(`no output on the page shows run ${id} before it is used`);
        return real;
      }),
    check(text, output) {
      const shown = Object.entries(replaced).reduce((all, [real, instead]) => all.replaceAll(real, instead), output);
      let rest = shown.trimEnd().split('\n');
      let anywhere = false;
      for (const line of text.trimEnd().split('\n')) {
        if (line === '...') {
          anywhere = true;
          continue;
        }
        const at = anywhere ? rest.findIndex((one) => plain(one) === plain(line)) : 0;
        expect(plain(rest[at] ?? 'no further line')).toBe(plain(line));
        bind(line, rest[at] ?? '');
        rest = rest.slice(at + 1);
        anywhere = false;
      }
      if (!anywhere) expect(rest).toEqual([]);
    },
  };
}

/** Without run ids, times of the real clock, seconds in a table of runs, and the widths of its columns. */
function plain(line: string): string {
  return line
    .replaceAll(RUN, '<run>')
    .replaceAll(/\b20\d\d-\d\d-\d\d \d\d:\d\d/g, '<time>')
    .replaceAll(/\d+\.\d +(?=churn-mlp)/g, '<s> ')
    .replaceAll(/ +/g, ' ')
    .trimEnd();
}

import { counted } from '../../domain/counted.ts';
import { printableValue } from '../../domain/printable.ts';
import { nearest } from '../../suggest.ts';
import { ServeFailure } from '../failure.ts';

/** Most problems that an answer lists; the rest is counted. */
const LISTED = 20;

/** Names from a request are cut to this length when shown. Longer ones are not compared with known names, either. */
const SHOWN = 100;

/** Problems of a request, in the order of its rows. */
export interface Problems {
  /** Creates the strings only if the problem will be listed: doing so for a million of them costs seconds. */
  add(problem: () => string, hint?: () => string | undefined): void;
  /** @throws ServeFailure `invalid` with the first problem as its message, if there is one */
  check(): void;
}

export function collectProblems(): Problems {
  const listed: { readonly problem: string; readonly hint: string | undefined }[] = [];
  let found = 0;
  return {
    add(problem, hint) {
      found += 1;
      if (listed.length < LISTED) listed.push({ problem: problem(), hint: hint?.() });
    },
    check() {
      const [first] = listed;
      if (first === undefined) return;
      const lines = listed.map(({ problem, hint }) => (hint === undefined ? problem : `${problem}: ${hint}`));
      throw new ServeFailure('invalid', first.problem, {
        ...(first.hint !== undefined && { hint: first.hint }),
        details: found === 1 ? [] : withCount(lines, found, 'problem'),
      });
    },
  };
}

/** Lines, followed by how many more there are. @param noun for one line: `problem` */
export function withCount(listed: readonly string[], found: number, noun: string): string[] {
  const left = found - listed.length;
  return left === 0 ? [...listed] : [...listed, `and ${counted(left, `more ${noun}`)}`];
}

/** A name from the request, as shown to its sender. */
export function shownName(name: string): string {
  return JSON.stringify(printableValue(name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name));
}

/** A hint with the known name nearest to a requested one; with all of them if they are few and none is near. */
export function nearestHint(name: string, known: readonly string[]): string | undefined {
  const near = name.length > SHOWN ? undefined : nearest(name, known);
  if (near !== undefined) return `did you mean ${near}?`;
  return known.length > LISTED ? undefined : `choose from ${known.join(', ')}`;
}

import { counted } from '../../domain/counted.ts';
import { printableValue } from '../../domain/printable.ts';
import { nearest } from '../../suggest.ts';
import { ServeFailure } from '../failure.ts';

/** Problems that an answer lists; the rest is counted. */
const LISTED = 20;

/** Names of a request that are shown are cut to this. Longer ones are not compared with the known names either. */
const SHOWN = 100;

/** What is wrong with a request, in the order of its rows. */
export interface Problems {
  /** Takes texts only of the problems that will be listed: making them for each of a million costs seconds. */
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

/** Lines, and how many more there are. @param noun of one line: `problem` */
export function withCount(listed: readonly string[], found: number, noun: string): string[] {
  const left = found - listed.length;
  return left === 0 ? [...listed] : [...listed, `and ${counted(left, `more ${noun}`)}`];
}

/** A name of the request as text for its sender. */
export function shownName(name: string): string {
  return JSON.stringify(printableValue(name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name));
}

/** A hint that names the known name nearest to one of the request; all of them if they are few and none is near. */
export function nearestHint(name: string, known: readonly string[]): string | undefined {
  const near = name.length > SHOWN ? undefined : nearest(name, known);
  if (near !== undefined) return `did you mean ${near}?`;
  return known.length > LISTED ? undefined : `choose from ${known.join(', ')}`;
}

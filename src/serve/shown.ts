import { printableValue } from '../domain/printable.ts';

const MOST = 80;

/** A name that a client sent, for a message: cut, and without control characters. */
export function shown(name: string): string {
  return printableValue(name.length > MOST ? `${name.slice(0, MOST)}…` : name);
}

import { printableValue } from '../domain/printable.ts';

const MOST = 80;

/** A client's name for something, for messages: cut, and without control characters. */
export function shown(name: string): string {
  return printableValue(name.length > MOST ? `${name.slice(0, MOST)}…` : name);
}

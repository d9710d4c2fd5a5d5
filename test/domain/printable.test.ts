import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPrintable, printable, printableJson, printableValue } from '../../src/domain/printable.ts';

/** Code points that a terminal may interpret: C0, DEL and C1, bidirectional controls, line separators. */
const RANGES = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x61c, 0x61c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2066, 0x2069],
] as const;
const isControl = (code: number) => RANGES.some(([first, last]) => code >= first && code <= last);
const controls = (text: string) => [...text].filter((character) => isControl(character.codePointAt(0) ?? 0));

/** About half of the code units are controls. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
    fc.integer({ min: 0x2000, max: 0x2070 }).map((code) => String.fromCharCode(code)),
    fc.constant('\u061c'),
  ),
});

it('lets no control character of any text reach a terminal', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(controls(printable(text)).filter((character) => character !== '\t' && character !== '\n')).toEqual([]);
      expect(controls(printableValue(text))).toEqual([]);
      expect(controls(printableJson({ [text]: text }))).toEqual([]);
      expect(isPrintable(text)).toBe(controls(text).length === 0);
    }),
    { numRuns: 2000 },
  );
});

it('leaves text without controls unchanged, also in JSON', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(JSON.parse(printableJson(text))).toBe(text);
      fc.pre(isPrintable(text));
      expect(printable(text)).toBe(text);
      expect(printableValue(text)).toBe(text);
    }),
  );
});

it('keeps lines, also with Windows line ends, and keeps a value on one line', () => {
  expect(printable('select 1,\r\n\t2\n')).toBe('select 1,\n\t2\n');
  expect(printable('\u001b]0;x\u0007a\rb\u202ec')).toBe('\\u001b]0;x\\u0007a\\u000db\\u202ec');
  expect(printableValue('a\nb\tc')).toBe('a\\u000ab\\u0009c');
});

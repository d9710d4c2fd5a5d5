import { expect, it } from 'vitest';
import { keyText } from '../../src/explain/key-text.ts';

it.each<[type: Parameters<typeof keyText>[1]['type'], written: string, text: string]>([
  ['decimal', '12.50', '12.5'],
  ['decimal', '-0.10', '-0.1'],
  ['decimal', '-0.00', '0'],
  ['decimal', '.5', '0.5'],
  ['decimal', '100', '100'],
  ['decimal', '1.', '1'],
  ['integer', '007', '7'],
  ['integer', '+7', '7'],
  ['integer', '9007199254740993', '9007199254740993'],
  ['integer', '0', '0'],
  ['integer', '', ''],
  ['integer', '.', '.'],
  ['integer', '1e3', '1e3'],
  ['timestamp', '2026-11-18T09:00Z', '2026-11-18 09:00:00.000000'],
  ['timestamp', '2026-11-18 09:00:00.5+00', '2026-11-18 09:00:00.500000'],
  ['timestamp', '2026-11-18 09:00:00 UTC', '2026-11-18 09:00:00.000000'],
  ['timestamp', '2026-11-18 09:00:00+01:00', '2026-11-18 09:00:00+01:00'],
  ['datetime', '2026-11-18 09:00:00.123456', '2026-11-18 09:00:00.123456'],
  ['date', '2026-11-18', '2026-11-18'],
  ['uuid', 'C0FFEE00-0000-4000-8000-000000000000', 'c0ffee00-0000-4000-8000-000000000000'],
  ['bool', 'TRUE', 'true'],
  ['string', ' 1.50 ', ' 1.50 '],
])('the %s %j is looked for as %j', (type, written, text) => {
  expect(keyText(written, { type })).toBe(text);
});

import { expect, it } from 'vitest';
import { presentError } from '../../src/terminal/error.ts';
import { readNow } from '../../src/window/now.ts';

it.each([
  ['2026-11-23T08:00:00+01:00', '2026-11-23T07:00:00.000Z'],
  ['2026-11-23T08:00:00.250Z', '2026-11-23T08:00:00.250Z'],
  ['2026-11-23t08:00:00z', '2026-11-23T08:00:00.000Z'],
  ['2026-11-23T08:00:00.123456789Z', '2026-11-23T08:00:00.123Z'],
  ['2026-11-23T08:00-05:00', '2026-11-23T13:00:00.000Z'],
])('reads SCORE_BATCH_NOW=%s as %s', (text, instant) => {
  expect(new Date(readNow({ SCORE_BATCH_NOW: text })).toISOString()).toBe(instant);
});

it.each([{}, { SCORE_BATCH_NOW: '' }])('uses the clock with %o', (environment) => {
  const before = Date.now();
  const now = readNow(environment);
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
});

// Without an offset, the instant would depend on the machine.
it.each([
  '2026-11-23T08:00:00',
  '2026-11-23',
  'yesterday',
  '2026-13-23T08:00:00Z',
  // Date.parse accepts these: a month of 2001, the second of March, a year that nothing else supports.
  '1Z',
  'Mon, 23 Nov 2026 08:00:00 +01:00',
  '2026-02-30T08:00:00Z',
  '2026-11-23T24:00:00Z',
  '+275760-09-13T00:00:00Z',
  '1969-12-31T23:00:00Z',
  '2200-01-01T00:00:00Z',
])('refuses SCORE_BATCH_NOW=%s', (text) => {
  let shown = '';
  try {
    readNow({ SCORE_BATCH_NOW: text });
  } catch (error) {
    const { text: message, exitCode } = presentError(error);
    shown = `${message}\nexit code ${exitCode}`;
  }
  expect(shown).toBe(
    `error: SCORE_BATCH_NOW=${text} is not an instant with an offset\nhint: write it like 2026-11-23T08:00:00+01:00\nexit code 64`,
  );
});

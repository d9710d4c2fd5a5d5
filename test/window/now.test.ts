import { expect, it } from 'vitest';
import { presentError } from '../../src/terminal/error.ts';
import { readNow } from '../../src/window/now.ts';

it.each([
  ['2026-11-23T08:00:00+01:00', '2026-11-23T07:00:00.000Z'],
  ['2026-11-23T08:00:00.250Z', '2026-11-23T08:00:00.250Z'],
  ['2026-11-23T08:00-05:00', '2026-11-23T13:00:00.000Z'],
])('SCORE_BATCH_NOW=%s is %s', (text, instant) => {
  expect(new Date(readNow({ SCORE_BATCH_NOW: text })).toISOString()).toBe(instant);
});

it.each([{}, { SCORE_BATCH_NOW: '' }])('the clock tells the time with %o', (environment) => {
  const before = Date.now();
  const now = readNow(environment);
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
});

// Without an offset it would be another instant on every machine.
it.each(['2026-11-23T08:00:00', '2026-11-23', 'yesterday', '2026-13-23T08:00:00Z'])('SCORE_BATCH_NOW=%s is refused', (text) => {
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

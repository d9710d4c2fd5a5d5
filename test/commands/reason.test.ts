import { expect, it } from 'vitest';
import { cleanReason, mentions } from '../../src/commands/reason.ts';
import { registerSecret } from '../../src/secrets.ts';

it('keeps a reason as one line, masks secrets and control characters, and refuses a long one', () => {
  expect(cleanReason(' request\n 4711 \u0007of today ')).toBe('request 4711 \ufffdof today');
  registerSecret('hunter2-token');
  expect(cleanReason('seen hunter2-token')).toBe('seen [secret]');
  expect([cleanReason(), cleanReason(' \t')]).toEqual(['', '']);
  expect(cleanReason('x'.repeat(1000))).toHaveLength(1000);
  expect(() => cleanReason('x'.repeat(1001))).toThrow('--reason has 1001 characters');
});

it.each([
  ['user 4711.', '4711'],
  ['user 4711', '04711'],
  ['(ann-7) asked', 'Ann-7'],
  ['ANN 7 asked', 'ann-7'],
  ['mail of ann@example.org, please', 'ann@example.org'],
  ['４７１１', '4711'],
  ['Zoë asked', 'Zoe\u0308'],
  ['4711-a', '4711'],
])('finds in %j the key %j', (reason, key) => {
  expect(mentions(reason, key)).toBe(true);
});

it.each([
  ['request 47112', '4711'],
  ['ann, for 7 days', 'ann-7'],
  ['request 4711', '-'],
  ['request 100', '0'],
])('finds in %j no key %j', (reason, key) => {
  expect(mentions(reason, key)).toBe(false);
});

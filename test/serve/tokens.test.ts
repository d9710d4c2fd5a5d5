import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { isAuthorized } from '../../src/serve/tokens.ts';

const digest = (token: string) => createHash('sha256').update(token).digest('hex');
const DIGESTS = [digest('old.token'), digest('new-token=='), digest('')];

it.each(['Bearer old.token', 'bearer new-token==', 'Bearer   old.token '])('takes %j', (header) => {
  expect(isAuthorized(header, DIGESTS)).toBe(true);
});

it.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'Bearer old.toke',
  'Bearer old.token new-token==',
  'Basic old.token',
  'old.token',
  `Bearer ${DIGESTS[0]}`,
])('refuses %j', (header) => {
  expect(isAuthorized(header, DIGESTS)).toBe(false);
});

it('refuses all if no token is known, and does not fail on a digest that is malformed', () => {
  expect(isAuthorized('Bearer old.token', [])).toBe(false);
  expect(isAuthorized('Bearer old.token', ['zz', 'abcd'])).toBe(false);
});

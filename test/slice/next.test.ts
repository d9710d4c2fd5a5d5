import { expect, it } from 'vitest';
import { endDate, isMidnight, microText, midnightBefore, millis } from '../../src/slice/instants.ts';
import { nextSlice, type SliceRules } from '../../src/slice/next.ts';

const RULES: SliceRules = { every: 'week', zone: 'Europe/Berlin', daily: false, shadow: false };
const DAILY = { ...RULES, daily: true };
const SHADOW = { ...RULES, shadow: true };
/** 2026-11-16 is a Monday; its midnight in Berlin is 23:00 UTC of the day before. */
const MONDAY = '2026-11-15T23:00:00.000000Z';
const FRIDAY = '2026-11-13T09:30:00.000001Z';

it('is a snapshot up to the end of the data if there is no position', () => {
  expect(nextSlice(undefined, FRIDAY, { ...DAILY, shadow: true })).toEqual({ kind: 'snapshot', asOf: FRIDAY, boundary: null });
});

it('reads what changed up to the end of the data, also if that is where the slice before ended', () => {
  expect(nextSlice(FRIDAY, '2026-11-13T10:30:00.000001Z', DAILY)).toMatchObject({ kind: 'changes', boundary: null });
  expect(nextSlice(FRIDAY, FRIDAY, { ...DAILY, shadow: true })).toEqual({ kind: 'changes', asOf: FRIDAY, boundary: null });
  expect(nextSlice(MONDAY, MONDAY, { ...DAILY, shadow: true })).toEqual({ kind: 'changes', asOf: MONDAY, boundary: null });
});

it('ends at the last midnight on the way and reads all users there, once for an outage of days', () => {
  const midnight = '2026-11-18T23:00:00.000000Z';
  expect(nextSlice(FRIDAY, '2026-11-19T05:00:00.000000Z', DAILY)).toEqual({ kind: 'full', asOf: midnight, boundary: null });
  expect(nextSlice(midnight, '2026-11-19T05:00:00.000000Z', DAILY)).toMatchObject({ kind: 'changes' });
  expect(nextSlice(FRIDAY, midnight, DAILY)).toMatchObject({ kind: 'full', asOf: midnight });
});

it('ends at the last end of a batch window on the way, and the next slice begins there', () => {
  expect(nextSlice(FRIDAY, '2026-11-25T05:00:00.000000Z', SHADOW)).toEqual({
    kind: 'changes',
    asOf: '2026-11-22T23:00:00.000000Z',
    boundary: '2026-11-22T23:00:00.000000Z',
  });
  expect(nextSlice(FRIDAY, '2026-11-17T05:00:00.000000Z', { ...SHADOW, daily: true })).toEqual({
    kind: 'full',
    asOf: MONDAY,
    boundary: MONDAY,
  });
  expect(nextSlice(MONDAY, '2026-11-17T05:00:00.000000Z', { ...SHADOW, daily: true })).toMatchObject({
    kind: 'full',
    asOf: '2026-11-16T23:00:00.000000Z',
    boundary: null,
  });
});

it('counts hours as windows of the batch if that is what the job runs every', () => {
  const rules = { ...SHADOW, every: 'hour' as const };
  expect(nextSlice(FRIDAY, '2026-11-13T12:10:00.000000Z', rules)).toMatchObject({ boundary: '2026-11-13T12:00:00.000000Z' });
});

it('knows local midnights where the clocks change', () => {
  // 2026-03-29: Berlin has 23 hours.
  expect(midnightBefore('2026-03-29T21:59:59.999999Z', 'Europe/Berlin')).toBe('2026-03-28T23:00:00.000000Z');
  expect(midnightBefore('2026-03-29T22:00:00.000000Z', 'Europe/Berlin')).toBe('2026-03-29T22:00:00.000000Z');
  expect(isMidnight('2026-03-29T22:00:00.000001Z', 'Europe/Berlin')).toBe(false);
});

it('rounds the date of an instant up to the end of its day', () => {
  expect(endDate(MONDAY, 'Europe/Berlin')).toBe('2026-11-16');
  expect(endDate('2026-11-15T23:00:00.000001Z', 'Europe/Berlin')).toBe('2026-11-17');
});

it('keeps microseconds in texts and drops them in milliseconds', () => {
  expect(microText(0)).toBe('1970-01-01T00:00:00.000000Z');
  expect(millis('1970-01-01T00:00:01.234567Z')).toBe(1234);
});

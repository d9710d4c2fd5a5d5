import { describe, expect, it } from 'vitest';
import { dayIn, momentIn, shortLabel, windowInWords } from '../../src/page/dates.ts';
import { wilson } from '../../src/page/interval.ts';
import { change, count, expected, percent, points, relative } from '../../src/page/numbers.ts';
import { earlierWindow, listed } from '../../src/page/words.ts';
import { SAMPLE } from './sample.ts';

describe('numbers', () => {
  it.each([
    [count(1234567), '1,234,567'],
    [count(999), '999'],
    [expected(9.94), '9.9'],
    [expected(9.96), '10'],
    [expected(1713.4), '1,713'],
    [percent(0.8361), '83.6%'],
    [percent(1), '100.0%'],
    [change(-124.4), '−124'],
    [change(20), '+20'],
    [change(-0.04), '0.0'],
    [points(-0.0016), '−0.2 points'],
    [relative(95, 100), '−5.0%'],
    [relative(1, 0), undefined],
    [listed(['a', 'b', 'c']), 'a, b and c'],
  ])('%s', (text, written) => expect(text).toBe(written));

  it('the interval of a share is that of Wilson', () => {
    // Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263, and 0 of 20.
    const [low, high] = wilson(81, 263);
    expect([low.toFixed(4), high.toFixed(4)]).toEqual(['0.2553', '0.3662']);
    expect(wilson(0, 20)[0]).toBe(0);
    expect(wilson(0, 20)[1]).toBeCloseTo(0.1611, 4);
  });
});

describe('windows', () => {
  const zone = 'America/New_York';
  it.each([
    ['week', '1997-03-10T05:00:00Z', '1997-03-17T05:00:00Z', 'the week of 10 to 16 March 1997'],
    ['week', '2026-03-30T04:00:00Z', '2026-04-06T04:00:00Z', 'the week of 30 March to 5 April 2026'],
    ['week', '2025-12-29T05:00:00Z', '2026-01-05T05:00:00Z', 'the week of 29 December 2025 to 4 January 2026'],
    ['day', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z', '8 March 2026'],
    ['hour', '2026-03-08T05:00:00Z', '2026-03-08T06:00:00Z', 'the hour from 00:00 on 8 March 2026'],
    ['ad hoc', '2026-03-01T05:00:00Z', '2026-03-04T05:00:00Z', 'the time from 1 to 3 March 2026'],
  ] as const)('a %s from %s to before %s', (kind, start, end, words) => {
    expect(windowInWords({ kind, start, end }, zone)).toBe(words);
  });

  it('instants are shown in the zone of the job', () => {
    expect(momentIn(zone, '1997-03-17T13:00:00.000Z')).toBe('17 March 1997, 08:00');
    expect(dayIn('Asia/Tokyo', '1997-03-17T23:00:00.000Z')).toBe('18 March 1997');
    expect(['1997-W11', '2026-03-10', '2026-03-10T08', 'x'].map(shortLabel)).toEqual(['W11', '03-10', '10T08', 'x']);
  });

  it('an earlier window that is not the one before is named with what lies between', () => {
    expect(earlierWindow(SAMPLE)).toBe('the week before (1997-W10)');
    const gap = { label: '1997-W10', totals: undefined };
    const trend = [...SAMPLE.trend.slice(0, -2), gap, ...SAMPLE.trend.slice(-1)];
    const before = { label: '1997-W09', users: 1, expected: 1 };
    expect(earlierWindow({ ...SAMPLE, trend, before })).toBe('1997-W09 (1997-W10 has no scores)');
  });
});

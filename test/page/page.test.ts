import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { renderPage } from '../../src/page/page.ts';
import type { PageData, SegmentBands } from '../../src/page/page-data.ts';
import { renderIndex } from '../../src/page/windows-page.ts';
import { SAMPLE, SAMPLE_INDEX } from './sample.ts';

const HOSTILE = '<script>alert("x")</script>&\' \u0000\u001b\u202e שלום 🛒';

/** Text of a page or a part of it, without what is only a style sheet, with single spaces. */
function textOf(page: string, selector = 'body'): string {
  const { document } = parseHTML(page);
  return (document.querySelector(selector)?.textContent ?? '').replaceAll(/\s+/g, ' ');
}

const nobody: PageData = {
  ...SAMPLE,
  totals: { users: 0, expected: 0 },
  distribution: { ...SAMPLE.distribution, now: SAMPLE.distribution.now.map(() => 0) },
  bands: [],
  deciles: [],
  bandsExplain: undefined,
  riskiest: [],
  leftOut: [],
  drift: [],
};

const first: PageData = {
  ...SAMPLE,
  before: undefined,
  average: undefined,
  change: undefined,
  distribution: { ...SAMPLE.distribution, before: undefined, reference: undefined },
  trend: SAMPLE.trend.slice(-1),
  outcome: undefined,
  drift: undefined,
  reasons: undefined,
  riskiest: SAMPLE.riskiest.map((user) => ({ ...user, key: undefined, reasons: [], holdout: false })),
  leftOut: [],
  links: { index: undefined, list: undefined },
};

describe('the page', () => {
  const page = renderPage(SAMPLE);

  it('is made of the data alone: the same data give the same bytes', () => {
    expect(renderPage(structuredClone(SAMPLE))).toBe(page);
    expect(renderIndex(structuredClone(SAMPLE_INDEX))).toBe(renderIndex(SAMPLE_INDEX));
  });

  it('answers the questions in its first paragraphs', () => {
    expect(textOf(page, 'h1')).toBe('1,713 of 2,053 new customers are expected to place no further order');
    expect(textOf(page, '.lede')).toContain('That is 128 fewer than in the week before (1997-W10), which had 1,841 of 2,201');
    expect(textOf(page, '.lede')).toContain(
      'Having 148 fewer new customers lowers the number by 125; the risk is practically unchanged.',
    );
    expect(textOf(page, '.lede')).toContain('Most of the change is in basket “1 CD” (−85).');
    expect(textOf(page, '.lede')).toContain('this week has 94 more.');
    const brief = textOf(page, '#brief');
    expect(brief).toContain('The 206 new customers in “high”');
    expect(brief).toContain('“high” is always the 10% of the new customers with the highest scores');
    expect(brief).toContain('88.3% in “high”, 87.6% in “medium” and 81.6% in “low”');
    expect(brief).toContain('1,853 (83.0%) did, a difference that chance alone explains');
    expect(brief).toContain('the scores barely tell people apart');
    expect(brief).toContain('13 of 2,066 rows of new customers (0.6%) have no score');
  });

  it('has its sections in order, under headings without a step left out', () => {
    const { document } = parseHTML(page);
    const sections = [...document.querySelectorAll('section')].map(({ id }) => id);
    expect(sections).toEqual([
      'week',
      'brief',
      'figures',
      'scores',
      'bands',
      'trend',
      'outcome',
      'riskiest',
      'left-out',
      'drift',
      'run',
    ]);
    const levels = [...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => Number(tagName.slice(1)));
    expect(levels[0]).toBe(1);
    expect(levels.filter((level, i) => level - (levels[i - 1] ?? level) > 1)).toEqual([]);
  });

  it('refers to nothing outside, runs nothing, and has no style but the one that its policy names', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'sha256-`);
    const { document } = parseHTML(page);
    expect(document.querySelectorAll('script, link, img, iframe, [style], [onload], [onclick]')).toHaveLength(0);
    expect(document.querySelectorAll('style')).toHaveLength(1);
    const hrefs = [...document.querySelectorAll('[href]')].map((one) => one.getAttribute('href'));
    expect(hrefs.filter((href) => !/^(#|\.\/)/.test(href ?? ''))).toEqual([]);
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const inner = [...page.matchAll(/(?:href="#|url\(#|labelledby=")([^")]+)/g)].flatMap(([, names = '']) => names.split(' '));
    expect(inner.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('has the numbers of each chart in a table beside it', () => {
    const { document } = parseHTML(page);
    const figures = [...document.querySelectorAll('figure')];
    expect(figures.length).toBeGreaterThanOrEqual(10);
    for (const figure of figures) {
      expect(figure.querySelectorAll('svg[role=img] > title, svg[role=img] > desc')).toHaveLength(2);
      expect(figure.querySelectorAll('details tbody tr').length).toBeGreaterThan(0);
    }
    expect(textOf(page, '#trend table')).toContain('1997-W08no scores');
  });
});

describe('what is missing is said', () => {
  const page = renderPage(first);
  it.each([
    ['.lede', 'No earlier week has scores, so there is nothing to compare it with.'],
    ['#outcome', 'Not known yet: no window is old enough. The outcome of 1997-W11 is known from 14 April 1997 on.'],
    ['#scores', 'No outcome is known, and even if every score is right, the scores barely tell people apart.'],
    ['#scores', 'Even if every score is exactly right'],
    ['#riskiest', 'The job file does not allow keys on this page'],
    ['#riskiest', 'The job gives no reasons'],
    ['#left-out', 'Nothing: every row has a score, 2,053 in all.'],
    ['#drift', 'Not known: drift was not measured.'],
  ])('%s: %s', (selector, text) => expect(textOf(page, selector)).toContain(text));

  it('labels that nobody gave', () => {
    expect(textOf(renderPage({ ...first, outcomeKnownFrom: undefined }), '#outcome')).toContain('labels');
  });

  it('an outcome of windows that the model was trained on, which is not believed', () => {
    const outcome = SAMPLE.outcome as NonNullable<PageData['outcome']>;
    const inSample = outcome.series.map((one) => ({ ...one, inSample: true }));
    const text = textOf(
      renderPage({ ...SAMPLE, outcome: { ...outcome, newest: { ...outcome.newest, inSample: true }, series: inSample } }),
      '#outcome',
    );
    expect(text).toContain('outcomes are known only for windows that the model was trained on');
    expect(text).toContain('1997-W09 (in-sample)');
  });

  it('which of treated and untreated users is believed', () => {
    const outcome = SAMPLE.outcome as NonNullable<PageData['outcome']>;
    const groups = (['treated', 'untreated'] as const).map((group) => ({ group, evaluated: outcome.newest }));
    const text = textOf(renderPage({ ...SAMPLE, outcome: { ...outcome, groups } }), '#outcome');
    expect(text).toContain('Believe the untreated ones');
  });
});

describe('odd data', () => {
  it('nobody', () => {
    const text = textOf(renderPage(nobody));
    expect(text).toContain('No new customers in the week of 10 to 16 March 1997');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('one user', () => {
    const bands = [{ band: 'high', users: 1, expected: 0.8 }];
    const one: SegmentBands = { segment: 'all', value: 'all', users: 1, expected: 0.8, bands };
    const page = renderPage({
      ...SAMPLE,
      totals: { users: 1, expected: 0.8 },
      bands: [one, { ...one, segment: 'basket', value: '1 CD' }],
      deciles: [{ decile: 1, users: 1, expected: 0.8 }],
      bandsExplain: undefined,
      riskiest: SAMPLE.riskiest.slice(0, 1),
    });
    expect(textOf(page, 'h1')).toBe('1 new customer, with a chance of 80.0% to place no further order');
    expect(textOf(page, '#riskiest')).toContain('Who to call first: the riskiest');
    expect(textOf(page)).not.toMatch(/NaN|undefined|Infinity|1 new customers/);
  });

  it('equal scores', () => {
    const deciles = SAMPLE.deciles.map((one) => ({ ...one, expected: one.users * 0.5 }));
    const page = renderPage({ ...SAMPLE, deciles, bandsExplain: undefined });
    expect(textOf(page, '#scores')).toContain('All scores are equal, so their ranking means nothing.');
    expect(textOf(page, '#brief')).toContain('all scores are equal');
  });

  it('an outcome that is the same for all', () => {
    const outcome = SAMPLE.outcome as NonNullable<PageData['outcome']>;
    const none = { ...outcome.newest, positives: 0, auc: undefined, aucInterval: undefined, averagePrecision: undefined };
    const page = renderPage({
      ...SAMPLE,
      outcome: {
        ...outcome,
        newest: none,
        series: [none],
        deciles: outcome.deciles.map((one) => ({ ...one, positives: 0 })),
        calibration: outcome.calibration.map((one) => ({ ...one, positives: 0 })),
      },
    });
    expect(textOf(page, '#outcome')).toContain('all outcomes of 1997-W09 are equal, so the ranking cannot be judged');
    expect(textOf(page)).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('values below the smallest cell stand in one row', () => {
    const [all, one] = SAMPLE.bands as [SegmentBands, SegmentBands];
    const small = Array.from({ length: 30 }, (_, i) => ({
      ...one,
      value: `rare ${i}`,
      users: 3,
      expected: 2,
      bands: [{ band: 'low', users: 3, expected: 2 }],
    }));
    const text = textOf(renderPage({ ...SAMPLE, bands: [all, one, ...small] }), '#bands');
    expect(text).toContain('other (30 values)');
    expect(text).not.toContain('rare 7');
  });
});

it('text of the data is text on the page: markup, quotes, control characters and text from right to left', () => {
  const hostile = JSON.parse(JSON.stringify(SAMPLE), (key, value) =>
    typeof value === 'string' &&
    ![
      'start',
      'end',
      'kind',
      'dataAsOf',
      'publishedAt',
      'outcomeKnownFrom',
      'zone',
      'by',
      'method',
      'segment',
      'band',
      'group',
    ].includes(key)
      ? `${HOSTILE}${value}`
      : value,
  ) as PageData;
  const page = renderPage({
    ...hostile,
    bands: hostile.bands.map((one) => ({ ...one, segment: one.segment === 'all' ? 'all' : HOSTILE })),
  });
  const { document } = parseHTML(page);
  expect(document.querySelectorAll('script')).toHaveLength(0);
  expect(page.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(textOf(page, 'tbody bdi')).toContain('<script>alert("x")</script>&\' \\u0000\\u001b\\u202e שלום 🛒');
  expect(document.querySelectorAll('[onload], [style]')).toHaveLength(0);
  const links = [...document.querySelectorAll('a')].map((one) => one.getAttribute('href') ?? '');
  expect(links.filter((href) => !/^(#[\w-]+|\.\/[\w%!'()*~.-]+(\/[\w%!'()*~.-]+)*)$/.test(href))).toEqual([]);
});

it('stays below 300 KB whatever the data: all bounds reached, long names, 10,000 values per segment', () => {
  const long = 'Ω'.repeat(200);
  const big = 10_000_000;
  const [all] = SAMPLE.bands as [SegmentBands];
  const names = Array.from({ length: 8 }, (_, i) => `${long.slice(0, 20)}${i}`);
  const bands = [...names, 'low'].map((band) => ({ band, users: big / 9, expected: big / 10 }));
  const segments = Array.from({ length: 8 }, (_, s) =>
    Array.from({ length: 10_000 }, (_, i) => ({
      segment: `${long}${s}`,
      value: `${long}${i}`,
      users: 20_000 - i,
      expected: 9000,
      bands,
    })),
  ).flat();
  const page = renderPage({
    ...SAMPLE,
    totals: { users: big, expected: big / 2 },
    bandRules: { by: 'threshold', bounds: names.map((name, i) => ({ name, bound: 900_000 - i * 1000 })), rest: 'low' },
    bands: [{ ...all, users: big, expected: big / 2, bands }, ...segments],
    change: { segment: long, values: segments.slice(0, 10_000).map((one) => ({ value: one.value, now: one, before: one })) },
    riskiest: SAMPLE.riskiest.map((user) => ({ ...user, key: [long, long], reasons: Array.from({ length: 10 }, () => long) })),
    job: { ...SAMPLE.job, keyColumns: ['a', 'b'] },
    leftOut: Array.from({ length: 5000 }, (_, i) => ({ reason: 'unknown category', column: `${long}${i}`, rows: i })),
    drift: Array.from({ length: 400 }, (_, i) => ({
      feature: `${long}${i}`,
      psi: 0.9,
      nullShare: 0.5,
      referenceNullShare: 0.5,
      limit: 0.1,
      bins: i < 3 ? Array.from({ length: 100 }, (_, b) => ({ name: `${long}${b}`, now: 0.01, reference: 0.01 })) : undefined,
    })),
    run: { ...SAMPLE.run, warnings: Array.from({ length: 500 }, () => long) },
  });
  expect(Buffer.byteLength(page)).toBeLessThan(300_000);
  expect(textOf(page, '#bands')).toContain('other (9,988 values)');
});

describe('the list of windows', () => {
  const page = renderIndex(SAMPLE_INDEX);

  it('has the newest first, with a link, and gaps as gaps', () => {
    const { document } = parseHTML(page);
    const rows = [...document.querySelectorAll('#windows tbody tr')].map(({ textContent }) => textContent);
    expect(rows).toHaveLength(12);
    expect(rows[0]).toBe('1997-W112,0531,713−12883.4%17 March 1997, 08:00');
    expect(rows[3]).toBe('1997-W08no scores');
    expect(document.querySelector('#windows a')?.getAttribute('href')).toBe('./churn-1997-W11.html');
  });

  it.each([0, 1, 500])('of %i windows', (length) => {
    const windows = Array.from({ length }, (_, i) => ({
      label: `w-${length - i}`,
      totals: i % 7 === 3 ? undefined : { users: 1000 + i, expected: 500 },
      href: `w-${length - i}.html`,
      publishedAt: '2026-03-09T13:00:00.000Z',
    }));
    const made = renderIndex({ ...SAMPLE_INDEX, windows });
    expect(textOf(made)).not.toMatch(/NaN|undefined|Infinity/);
    expect(made.match(/<tr>/g)?.length ?? 0).toBeGreaterThanOrEqual(length);
    expect(Buffer.byteLength(made)).toBeLessThan(300_000);
  });
});

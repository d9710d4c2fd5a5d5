import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from '../../scripts/chromium.ts';
import { comparisonPage } from '../../src/compare/comparison-page.ts';
import { renderPage } from '../../src/page/page.ts';
import { renderIndex } from '../../src/page/windows-page.ts';
import { COMPARISON, LIMITS } from '../compare/sample.ts';
import { SAMPLE, SAMPLE_INDEX } from './sample.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-page-'));
const outcome = SAMPLE.outcome as NonNullable<typeof SAMPLE.outcome>;
const groups = (['treated', 'untreated'] as const).map((group) => ({ group, evaluated: outcome.newest }));

/** What is rendered, by the name of its file. */
const PAGES = {
  report: renderPage(SAMPLE),
  // Every optional part, and names that do not fit.
  full: renderPage({
    ...SAMPLE,
    job: { ...SAMPLE.job, keyColumns: ['customer_identifier_of_the_shop'] },
    outcome: { ...outcome, groups },
    bands: SAMPLE.bands.map((one, i) => ({ ...one, value: i === 2 ? 'סל קניות גדול מאוד עם הרבה תקליטים 🛒' : one.value })),
    riskiest: SAMPLE.riskiest.map((user) => ({ ...user, key: ['x'.repeat(90)] })),
    run: { ...SAMPLE.run, warnings: ['drift of amount is 0.31, more than max_feature_psi 0.25', 'another one'] },
  }),
  first: renderPage({
    ...SAMPLE,
    before: undefined,
    average: undefined,
    change: undefined,
    trend: SAMPLE.trend.slice(-1),
    outcome: undefined,
    drift: undefined,
    reasons: undefined,
    leftOut: [],
  }),
  index: renderIndex(SAMPLE_INDEX),
  comparison: comparisonPage(COMPARISON, LIMITS, { page_keys: true }),
};
const NAMES = Object.keys(PAGES) as (keyof typeof PAGES)[];
const VIEWS = [320, 360, 1280].flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })));

let browser: Browser;

beforeAll(async () => {
  for (const [name, text] of Object.entries(PAGES)) writeFileSync(path.join(folder, `${name}.html`), text);
  browser = await startChromium();
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a page, and hands over what the browser complained of and asked for. */
async function withPage<T>(
  name: string,
  options: BrowserContextOptions,
  use: (page: Page, heard: { readonly messages: string[]; readonly requests: string[] }) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ ...options, viewport: options.viewport ?? { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    const heard = { messages: [] as string[], requests: [] as string[] };
    page.on('console', (message) => heard.messages.push(message.text()));
    page.on('pageerror', (error) => heard.messages.push(String(error)));
    page.on('request', (request) => heard.requests.push(request.url()));
    await page.goto(pathToFileURL(path.join(folder, `${name}.html`)).href);
    return await use(page, heard);
  } finally {
    await context.close();
  }
}

describe.each(NAMES)('%s', (name) => {
  it('asks for nothing and complains of nothing, and looks the same without script', async () => {
    const views = [true, false].map((javaScriptEnabled) =>
      withPage(name, { javaScriptEnabled }, async (page, { messages, requests }) => {
        const picture = await page.screenshot({ fullPage: true });
        expect(messages).toEqual([]);
        expect(requests).toEqual([page.url()]);
        return picture;
      }),
    );
    const [on, off] = await Promise.all(views);
    expect(on?.equals(off as Buffer)).toBe(true);
  });

  it.each(VIEWS)('fits $width px in $colorScheme, and axe finds nothing', async ({ width, colorScheme }) => {
    // Only so that axe itself can run.
    await withPage(name, { bypassCSP: true, colorScheme, viewport: { width, height: 900 } }, async (page) => {
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await page.evaluate(CUT_TEXTS)).toEqual([]);
      await page.addScriptTag({ content: axe.source });
      await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      const found = await page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => [id, target.join(' '), failureSummary].join(': '))))",
      );
      expect(found).toEqual([]);
    });
  });
});

/** Texts of charts that reach out of their chart, or are too small to read. */
const CUT_TEXTS = `[...document.querySelectorAll('svg.chart text')].flatMap((text) => {
  const box = text.getBoundingClientRect();
  const chart = text.ownerSVGElement.getBoundingClientRect();
  const size = parseFloat(getComputedStyle(text).fontSize) * chart.width / text.ownerSVGElement.viewBox.baseVal.width;
  const cut = box.left < chart.left - 1 || box.right > chart.right + 1 || box.top < chart.top - 1 || box.bottom > chart.bottom + 1;
  return cut || size < 10 ? [text.textContent + ' (' + size.toFixed(1) + ' px)'] : [];
})`;

describe.each(['light', 'dark'] as const)('colours in %s', (colorScheme) => {
  it('text has a contrast of 4.5, marks of 3', async () => {
    await withPage('report', { colorScheme }, async (page) => {
      const colours = await page.evaluate(
        `['paper', 'ink', 'soft', 'now', 'warm'].map((name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name))`,
      );
      const [paper = '', ink = '', soft = '', now = '', warm = ''] = colours as string[];
      for (const text of [ink, soft, now]) expect(contrast(text, paper)).toBeGreaterThanOrEqual(4.5);
      for (const mark of [now, warm]) expect(contrast(mark, paper)).toBeGreaterThanOrEqual(3);
    });
  });
});

it('prints on two pages of A4', async () => {
  const pdf = await withPage('report', { colorScheme: 'dark' }, async (page) => await page.pdf({ preferCSSPageSize: true }));
  const text = pdf.toString('latin1');
  expect(text.match(/\/Type\s*\/Page\b(?!s)/g)).toHaveLength(2);
  const [, width, height] = /\/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]/.exec(text) ?? [];
  // 210 × 297 mm in points.
  expect([Number(width), Number(height)].map(Math.round)).toEqual([595, 842]);
});

/** Contrast of two colours such as `#0b5a87` (WCAG 2.2, 1.4.3). */
function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[0-9a-f]{2}/gi) ?? []).map((part) => {
    const share = Number.parseInt(part, 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

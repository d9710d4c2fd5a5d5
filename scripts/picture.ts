// Draws the top of a report page as docs/report.png, in Chromium: `npm run docs:page -- reports/churn-1997-W11.html`.
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { startChromium } from './chromium.ts';
import { ROOT } from './root.ts';
import { smallPng } from './small-png.ts';

const WIDTH = 1280;
/** Height of the visible part of the page, in pixels. */
const HEIGHT = 1400;
/** Keeps the README light. */
const MAX_BYTES = 250_000;

const [file] = process.argv.slice(2);
if (file === undefined || !existsSync(file)) {
  process.stderr.write('error: no report page to draw\nhint: npm run docs:page -- reports/churn-1997-W11.html\n');
  process.exit(64);
}
const browser = await startChromium();
try {
  const context = await browser.newContext({ viewport: { width: WIDTH, height: HEIGHT }, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(pathToFileURL(path.resolve(file)).href);
  const picture = smallPng(await page.screenshot());
  if (picture.length > MAX_BYTES)
    throw new Error(`the picture has ${picture.length} bytes, more than ${MAX_BYTES}: show less of the page`);
  writeFileSync(path.join(ROOT, 'docs/report.png'), picture);
} finally {
  await browser.close();
}

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * Starts the installed Chromium, or the one that `CHROMIUM` names. @throws Error if there is none: a page that no browser has
 * shown is untested
 */
export async function startChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place));
  if (executablePath === undefined)
    throw new Error('there is no Chromium to test pages with: run apt-get install chromium, or set CHROMIUM to its path');
  return await chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

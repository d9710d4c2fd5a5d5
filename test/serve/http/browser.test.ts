import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page, Response } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from '../../../scripts/chromium.ts';
import { type Serving, startServing } from '../../../src/serve/process/serving.ts';
import { findPython } from '../../emulators/python.ts';
import { repository } from '../../support/project.ts';
import { CHURN, IRIS, settingsOf } from '../served.ts';
import { HOSTILE, writeHostileBundle } from './hostile-bundle.ts';

const run = promisify(execFile);
const fixture = (name: string): string => repository('test', 'fixtures', 'models', name);

let browser: Browser;
let serving: Serving;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'score-batch-page-'));
  const hostile = await writeHostileBundle(path.join(folder, 'hostile'));
  const second = path.join(folder, 'second');
  await cp(CHURN, second, { recursive: true });
  const file = path.join(second, 'model.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(/^version: .*$/m, 'version: "second"'));
  serving = await startServing(settingsOf([IRIS, second, CHURN, fixture('strings'), fixture('mixed'), hostile]));
  browser = await startChromium();
});

afterAll(async () => {
  await browser?.close();
  await serving?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Opens the page of a model and waits for its first answer. Afterwards nothing may have been complained of. */
async function withPage<T>(model: string, options: BrowserContextOptions, use: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const heard: string[] = [];
  try {
    const page = await context.newPage();
    page.on('console', (message) => heard.push(message.text()));
    page.on('pageerror', (error) => heard.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(serving.addresses.http)) heard.push(`asked for ${request.url()}`);
    });
    await page.goto(serving.addresses.http);
    await answered(page);
    if (model !== 'iris') {
      await page.selectOption('#model', model);
      await answered(page);
    }
    const result = await use(page);
    expect(heard).toEqual([]);
    return result;
  } finally {
    await context.close();
  }
}

/** What the page shows once it has the answer to what was typed last. */
async function answered(page: Page): Promise<string> {
  await page.locator('#answer:not(.stale) > *').first().waitFor();
  return (await page.locator('#answer').textContent()) ?? '';
}

it('predicts as one types and slides, and marks the feature of a rejection', async () => {
  await withPage('iris', {}, async (page) => {
    expect(await page.title()).toBe('iris · score-batch serve');
    expect(await answered(page)).toMatch(/^setosasetosa98\.5 %versicolor1\.5 %virginica< 0\.1 %iris 2026-11-27, SHA-256/);
    await page.getByLabel('petal_length', { exact: true }).fill('6');
    await page.getByLabel('petal_width', { exact: true }).fill('2.5');
    expect(await answered(page)).toMatch(/^virginica/);
    const slider = page.getByLabel('petal_length slider');
    await slider.press('Home');
    expect(await page.getByLabel('petal_length', { exact: true }).inputValue()).toBe('0.1');
    await page.getByLabel('petal_width slider').press('Home');
    expect(await answered(page)).toMatch(/^setosa/);
    await page.getByLabel('petal_width', { exact: true }).fill('99');
    expect(await answered(page)).toMatch(/^Rejected: feature out of rangepetal_width/);
    const field = page.getByLabel('petal_width', { exact: true });
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    const described = await field.getAttribute('aria-describedby');
    expect(await page.locator(`[id="${described}"]`).textContent()).toBe('feature out of range');
    await field.fill('');
    expect(await answered(page)).toMatch(/^Rejected: null in a required featurepetal_width/);
    await field.fill('1');
    expect(await answered(page)).not.toMatch(/Rejected/);
    expect(await field.getAttribute('aria-invalid')).toBeNull();
  });
});

it('has a box for a missing value, which is sent as null', async () => {
  await withPage('churn-mlp', {}, async (page) => {
    const before = await answered(page);
    await page.getByLabel('price_per_cd missing').check();
    const missing = await answered(page);
    expect(await page.locator('#code').textContent()).toContain('"price_per_cd": null');
    expect(await page.getByLabel('price_per_cd', { exact: true }).isDisabled()).toBe(true);
    await page.getByLabel('price_per_cd missing').uncheck();
    await page.getByLabel('price_per_cd', { exact: true }).fill('0');
    // The default of the bundle.
    expect(await answered(page)).toBe(missing);
    await page.getByRole('button', { name: 'Next example' }).click();
    expect(await answered(page)).not.toBe(before);
  });
});

it('asks the version that is chosen', async () => {
  await withPage('churn-mlp', {}, async (page) => {
    expect(await page.getByLabel('Version').locator('option').allTextContents()).toEqual([
      'default (second)',
      'second',
      '1997-03-10',
    ]);
    expect(await answered(page)).toMatch(/churn-mlp second/);
    expect(await page.locator('#code').textContent()).toContain('/v1/models/churn-mlp/predict');
    await page.getByLabel('Version').selectOption('1997-03-10');
    expect(await answered(page)).toMatch(/churn-mlp 1997-03-10/);
    expect(await page.locator('#code').textContent()).toContain('/v1/models/churn-mlp/versions/1997-03-10/predict');
  });
  await withPage('iris', {}, async (page) => {
    expect(await page.getByLabel('Version').isVisible()).toBe(false);
  });
});

it('asks with selects, checkboxes and texts, and shows why a number is refused', async () => {
  await withPage('strings', {}, async (page) => {
    await page.getByLabel('plan', { exact: true }).selectOption('pro');
    await page.getByLabel('logins', { exact: true }).fill('3');
    expect(await answered(page)).toMatch(/^0\.201813/);
    await page.selectOption('#model', 'mixed');
    await page.getByLabel('plan', { exact: true }).fill('pro');
    await page.getByLabel('logins', { exact: true }).fill('40');
    await page.getByLabel('active', { exact: true }).check();
    expect(await answered(page)).toMatch(/^0\.000911/);
  });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(serving.addresses.http);
  await page.selectOption('#model', 'mixed');
  // It goes out as it was typed, although a script cannot hold it.
  await page.getByLabel('logins', { exact: true }).fill('9007199254740993');
  expect(await answered(page)).toMatch(/^Refused \(400\)rows\[0\]\.logins must be a whole number from/);
  expect(await page.getByLabel('logins', { exact: true }).getAttribute('aria-invalid')).toBe('true');
  await context.close();
});

describe.each(['iris', 'churn-mlp', 'mixed', HOSTILE.name])('code of %s', (model) => {
  /** Runs code that prints the answer, here as JSON. */
  const languages = {
    curl: (code: string) => run('bash', ['-c', code], { cwd: folder }),
    Python: async (code: string) =>
      run((await findPython()).command, ['-c', code.replace(/print\((.*)\)$/, 'print(json.dumps($1))')], { cwd: folder }),
    fetch: (code: string) => {
      const printing = code.replace(/console\.log\((.*)\);$/, 'console.log(JSON.stringify($1));');
      return run(process.execPath, ['--input-type=module', '-e', printing], { cwd: folder });
    },
  };

  it.each(Object.keys(languages) as (keyof typeof languages)[])(
    '%s can be copied and gives what the page shows',
    async (language) => {
      await withPage(model, { permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
        const asked: Response[] = [];
        page.on('response', (response) => asked.push(response));
        await page.getByLabel(language, { exact: true }).check();
        await page.getByRole('button', { name: 'Next example' }).click();
        if (model === 'churn-mlp') await page.getByLabel('price_per_cd missing').check();
        await answered(page);
        const shown = await asked.at(-1)?.json();
        await page.getByRole('button', { name: 'Copy' }).click();
        await page.getByText('copied', { exact: true }).waitFor();
        const code = await page.evaluate('navigator.clipboard.readText()');
        expect(code).toBe(await page.locator('#code').textContent());
        const { stdout } = await languages[language](String(code));
        const answer = JSON.parse(stdout);
        expect(answer.predictions).toEqual(shown.predictions);
        expect(answer.predictions[0].rejected).toBeUndefined();
        expect(await readdir(folder)).toEqual(['hostile', 'second']);
      });
    },
  );
});

it('shows names of a bundle as text', async () => {
  await withPage(HOSTILE.name, {}, async (page) => {
    expect(await page.locator('#title').textContent()).toBe(HOSTILE.name);
    expect(await page.locator('#description').textContent()).toBe(HOSTILE.text);
    expect(await page.getByLabel(HOSTILE.text, { exact: true }).locator('option').allInnerTexts()).toEqual(HOSTILE.categories);
    expect(await page.locator('main img, main script, main b').count()).toBe(0);
    expect(await page.title()).toBe(`${HOSTILE.name} · score-batch serve`);
    await page.getByLabel(HOSTILE.number, { exact: true }).fill('-1');
    expect(await answered(page)).toMatch(/^Rejected: feature out of range__proto__/);
  });
});

it('asks for the token that the server takes, before it says what is served', async () => {
  const token = 'a-token-of-a-test';
  const guarded = await startServing(settingsOf([IRIS], { tokens: [createHash('sha256').update(token).digest('hex')] }));
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const opened = await page.goto(guarded.addresses.http);
    expect(opened?.headers()['content-security-policy']).toContain("default-src 'none'; script-src 'sha256-");
    expect(await answered(page)).toMatch(/^Access token required/);
    expect(await page.content()).not.toContain('sepal');
    await page.getByLabel('Access token').fill(token);
    await page.getByLabel('petal_width', { exact: true }).waitFor();
    expect(await answered(page)).toMatch(/^setosa/);
    const code = await page.locator('#code').textContent();
    expect(code).toContain('-H "Authorization: Bearer $TOKEN"');
    expect(code).not.toContain(token);
    const { stdout } = await run('bash', ['-c', code ?? ''], { env: { ...process.env, TOKEN: token } });
    expect(JSON.parse(stdout).predictions[0].label).toBe('setosa');
  } finally {
    await context.close();
    await guarded.close();
  }
});

const VIEWS = [320, 360, 1280].flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })));

describe.each(['iris', HOSTILE.name])('%s', (model) => {
  it.each(VIEWS)('fits $width px in $colorScheme, and axe finds nothing', async ({ width, colorScheme }) => {
    // Only so that axe itself can run.
    await withPage(model, { bypassCSP: true, colorScheme, viewport: { width, height: 900 } }, async (page) => {
      if (model === 'iris') {
        await page.getByLabel('petal_width', { exact: true }).fill('99');
        await answered(page);
      }
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await page.addScriptTag({ content: axe.source });
      const found = await page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => [id, target.join(' '), failureSummary].join(': '))))",
      );
      expect(found).toEqual([]);
    });
  });
});

import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scoreBatch } from '../support/score-batch.ts';
import { deliveries, deliveringProject, entries, LINK, messages, otherScores, WEBHOOK } from './project.ts';
import { webhookServer } from './webhook-server.ts';

describe('a webhook', () => {
  it('gets the paragraph of the page and the link, once, after the report is there; the ledger says so first', async () => {
    const { url, posted } = await webhookServer();
    const folder = await deliveringProject(LINK + WEBHOOK);
    const environment = { CHURN_WEBHOOK_URL: url };
    const run = await scoreBatch(folder, ['--week'], environment);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toContain('delivered publication 1 of 1997-W11 to webhook\n');
    expect(posted).toMatchObject([
      { method: 'POST', path: '/services/T000/B000/hush-hush-token', type: 'application/json; charset=utf-8' },
    ]);
    const { text, blocks = [] } = posted[0]?.body ?? { text: '' };
    expect(blocks.map(({ type }) => type)).toEqual(['section', 'section', 'section', 'context']);
    expect(blocks[0]?.text?.text).toMatch(/^\*linear 1997-W11: \d+ of 98 users are expected to leave\*$/);
    expect(blocks[1]?.text?.text).toMatch(
      /^In the week of 10 to 16 March 1997 there were 98 users; \*\d+\* \(\d+\.\d%\) are expected to leave\. .*\.$/,
    );
    expect(blocks[2]?.text?.text).toBe('<https://reports.shop.example/linear-1997-W11.html|Open the report>');
    expect(text).toContain('linear 1997-W11');
    expect(await messages(folder)).toEqual([
      ['delivering', 1, 'webhook', null, null],
      ['delivered', 1, 'webhook', 'delivered', 200],
    ]);
    // The page says the same, and the run was complete before.
    const page = await readFile(path.join(folder, 'reports/linear-1997-W11.html'), 'utf8');
    expect(page.replaceAll(/<[^>]*>/g, '')).toContain(blocks[1]?.text?.text.replaceAll('*', ''));
    const states = (await entries(folder)).map(({ state }) => state);
    expect(states.slice(-4)).toEqual(['published', 'completed', 'delivering', 'delivered']);

    const again = await scoreBatch(folder, ['--week', '--skip-published'], environment);
    expect(again.code, again.stderr).toBe(0);
    // Published again with the same scores: there is nothing new to tell.
    expect((await scoreBatch(folder, ['--week'], environment)).code).toBe(0);
    expect(posted).toHaveLength(1);
    // No secret is anywhere, the address is one.
    const all = (await entries(folder)).map((entry) => entry.text).join();
    for (const place of [all, run.stderr, again.stderr]) expect(place).not.toContain('hush-hush');
  });

  it('hears of other scores of a window that it knows, and of a rollback, each once, and nothing of old windows', async () => {
    const { url, posted } = await webhookServer();
    const folder = await deliveringProject(LINK + WEBHOOK);
    const environment = { CHURN_WEBHOOK_URL: url };
    const week = (...flags: string[]) => scoreBatch(folder, flags, environment);
    expect((await week('--week')).code).toBe(0);
    expect((await week('--week', '1997-W10')).code).toBe(0);
    expect(posted).toHaveLength(1);
    await otherScores(folder);
    expect((await week('--week', '--no-deliver')).code).toBe(0);
    expect(posted).toHaveLength(1);
    expect((await week('--week', '--skip-published')).code).toBe(0);
    expect(posted).toHaveLength(2);
    expect(posted[1]?.body.text).toMatch(/^linear 1997-W11, published again: \d+ of/);
    expect(posted[1]?.body.text).toContain(
      'this is publication 2, and publication 1, which you received before, is no longer valid.',
    );

    const back = await week('rollback', '--week', '1997-W11', '--reason', 'column a was <halved> & _wrong_');
    expect(back.code, back.stderr).toBe(0);
    expect(posted).toHaveLength(3);
    const { text, blocks = [] } = posted[2]?.body ?? { text: '' };
    expect(text).toMatch(/^Correction: linear 1997-W11 was rolled back: \d+ of/);
    expect(blocks[1]?.text?.text).toBe(
      '1997-W11 was rolled back from publication 2 to 1, because: column a was &lt;halved&gt; &amp; ＿wrong＿. The numbers below are the current ones; publication 2, which you received before, is no longer valid.',
    );
    // Nothing is left to tell.
    expect((await week('rollback', '--week', '1997-W11', '--to', (await published(folder))[0] ?? '')).code).toBe(0);
    expect((await week('--week', '--skip-published')).code).toBe(0);
    expect((await week('report', '--week', '1997-W11')).code).toBe(0);
    expect(posted).toHaveLength(3);
    expect(await deliveries(folder)).toEqual([
      ['1997-W11', 1, 'webhook', 'published', 'delivered'],
      ['1997-W11', 3, 'webhook', 'rolled back', 'delivered'],
      ['1997-W11', 2, 'webhook', 'published again', 'delivered'],
    ]);
    const shown = await week('status');
    expect(shown.stdout).toMatch(/1997-W11-\w+: delivered publication 3 to webhook at 1997|2\d{3}-/);
  });

  it('hears nothing of a backfill, nor of a rollback of what it was not told', async () => {
    const { url, posted } = await webhookServer();
    const folder = await deliveringProject(WEBHOOK);
    const environment = { CHURN_WEBHOOK_URL: url };
    const backfilled = await scoreBatch(folder, ['backfill', '--from', '1997-W10', '--to', '1997-W11'], environment);
    expect(backfilled.code, backfilled.stderr).toBe(0);
    await otherScores(folder);
    expect((await scoreBatch(folder, ['--week', '--no-deliver'], environment)).code).toBe(0);
    expect((await scoreBatch(folder, ['rollback', '--week', '1997-W11'], environment)).code).toBe(0);
    expect(posted).toEqual([]);
    expect(await messages(folder)).toEqual([]);
  });

  it('is corrected though a report file cannot be written, and told by what completes a run whose report had failed', async () => {
    const { url, posted } = await webhookServer();
    const folder = await deliveringProject(WEBHOOK);
    const call = (...flags: string[]) => scoreBatch(folder, flags, { CHURN_WEBHOOK_URL: url });
    const page = path.join(folder, 'reports/linear-1997-W11.html');
    const inTheWay = path.join(page, 'a-folder');
    await mkdir(inTheWay, { recursive: true });
    const failed = await call('--week', '--force');
    expect([failed.code, posted.length], failed.stderr).toEqual([74, 0]);
    await rm(page, { recursive: true });
    expect((await call('report', '--week')).code).toBe(0);
    expect(posted).toHaveLength(1);
    expect((await call('report', '--week')).code).toBe(0);
    expect(posted).toHaveLength(1);

    await otherScores(folder);
    expect((await call('--week')).code).toBe(0);
    await rm(page);
    await mkdir(inTheWay, { recursive: true });
    const back = await call('rollback', '--week', '1997-W11', '--force');
    expect(back.code, back.stderr).toBe(74);
    expect(posted.map(({ body }) => body.text.split(':')[0])).toEqual([
      'linear 1997-W11',
      'linear 1997-W11, published again',
      'Correction',
    ]);
    await rm(page, { recursive: true });
    expect((await call('report', '--week', '1997-W11')).code).toBe(0);
    expect(posted).toHaveLength(3);
  });
});

async function published(folder: string): Promise<string[]> {
  return (await entries(folder, ['published'])).flatMap(({ run_id, text }) => (text.includes('1997-W11') ? [run_id] : []));
}

import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CrashPoint, start } from '../crash/kill.ts';
import { query } from '../support/project.ts';
import { scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { deliveries, deliveringProject, entries, messages, otherScores, WEBHOOK } from './project.ts';
import { OK, webhookServer } from './webhook-server.ts';

/** The ledger's statement for an entry about a message: the first is written before it leaves, the second says what became of it. */
const ENTRY = /INSERT INTO .*score_batch_ledger.*'deliver(ing|ed)'/;

const POINTS: readonly (readonly [what: string, point: CrashPoint, posted: number, later: readonly unknown[]])[] = [
  [
    'before the entry: the same command sends it',
    { pattern: ENTRY, occurrence: 1, phase: 'before' },
    0,
    [['1997-W11', 1, 'webhook', 'published', 'delivered']],
  ],
  [
    'after the entry, before the message left: nobody knows',
    { pattern: ENTRY, occurrence: 1, phase: 'after' },
    0,
    [['1997-W11', 1, 'webhook', 'published', 'unknown']],
  ],
  [
    'after the message left, before its outcome is recorded: nobody knows',
    { pattern: ENTRY, occurrence: 2, phase: 'before' },
    1,
    [['1997-W11', 1, 'webhook', 'published', 'unknown']],
  ],
  [
    'after its outcome is recorded',
    { pattern: ENTRY, occurrence: 2, phase: 'after' },
    1,
    [['1997-W11', 1, 'webhook', 'published', 'delivered']],
  ],
];

describe('a process that is killed', () => {
  it.each(POINTS)('%s', async (_, point, posted, later) => {
    const webhook = await webhookServer();
    const environment = { CHURN_WEBHOOK_URL: webhook.url };
    const folder = await deliveringProject(WEBHOOK);
    const killed = await start({ folder, environment }, point, ['--week', '--workers', '1']).ended;
    expect([killed.code, killed.signal], killed.stderr).toEqual([null, 'SIGKILL']);
    expect(webhook.posted).toHaveLength(posted);
    // What is published stays published, and the run was complete before anybody was told.
    expect((await entries(folder)).map(({ state }) => state)).toContain('completed');
    for (let again = 0; again < 2; again += 1) {
      const { code, stderr } = await scoreBatch(folder, ['--week', '--skip-published'], environment);
      expect(code, stderr).toBe(0);
    }
    expect(webhook.posted.length).toBe(Math.max(posted, later.toString().includes('delivered') ? 1 : 0));
    expect(await deliveries(folder)).toEqual(later);
  });

  it('while a correction is on its way leaves it to people, and one before that to the next command', async () => {
    const webhook = await webhookServer();
    const environment = { CHURN_WEBHOOK_URL: webhook.url };
    const folder = await deliveringProject(WEBHOOK);
    expect((await scoreBatch(folder, ['--week'], environment)).code).toBe(0);
    await otherScores(folder);
    expect((await scoreBatch(folder, ['--week'], environment)).code).toBe(0);
    const point = { pattern: ENTRY, occurrence: 1, phase: 'before' } as const;
    const killed = await start({ folder, environment }, point, ['rollback', '--week', '1997-W11']).ended;
    expect(killed.signal, killed.stderr).toBe('SIGKILL');
    expect(webhook.posted).toHaveLength(2);
    expect((await scoreBatch(folder, ['--week', '--skip-published'], environment)).code).toBe(0);
    expect(webhook.posted.map(({ body }) => body.text.slice(0, 10))).toEqual(['linear 199', 'linear 199', 'Correction']);
  });
});

describe('two processes', () => {
  it('that finish one publication send it once', async () => {
    const webhook = await webhookServer((response, request) => void setTimeout(() => OK(response, request), 300));
    const environment = { CHURN_WEBHOOK_URL: webhook.url };
    const folder = await deliveringProject(WEBHOOK);
    expect((await scoreBatch(folder, ['--week', '--no-deliver'], environment)).code).toBe(0);
    const both = [1, 2, 3].map(() => startScoreBatch(folder, ['--week', '--skip-published'], environment).ended);
    for (const { code, stderr } of await Promise.all(both)) expect(code, stderr).toBe(0);
    expect(webhook.posted).toHaveLength(1);
    expect(await messages(folder)).toEqual([
      ['delivering', 1, 'webhook', null, null],
      ['delivered', 1, 'webhook', 'delivered', 200],
    ]);
  });
});

describe('entries about messages', () => {
  it('are numbered like others, and disturb neither status, gc, erase, rollback nor the next publication', async () => {
    const webhook = await webhookServer();
    const environment = { CHURN_WEBHOOK_URL: webhook.url };
    const folder = await deliveringProject(WEBHOOK);
    const command = async (...args: string[]) => {
      const ended = await scoreBatch(folder, args, environment);
      expect(ended.code, ended.stderr).toBe(0);
      return ended;
    };
    await command('--week', '1997-W10');
    await command('--week');
    const file = path.join(folder, 'data/warehouse.duckdb');
    const numbers = await query(file, 'select entry_number from marketing.score_batch_ledger order by entry_number');
    expect(numbers.map(({ entry_number: number }) => Number(number))).toEqual(numbers.map((_, i) => i + 1));
    expect(JSON.parse((await command('gc', '--json')).stdout)).toMatchObject({ left: [] });
    await command('erase', '--key', '7', '--reason', 'asked for it');
    const status = JSON.parse((await command('status', '--json')).stdout);
    expect(status.runs.map(({ state, current }: Record<string, unknown>) => [state, current])).toEqual(
      expect.arrayContaining([
        ['completed', true],
        ['completed', true],
        ['erased', false],
      ]),
    );
    expect(status.missing).toEqual([]);
    // An erasure sends nothing.
    expect(webhook.posted).toHaveLength(2);
    await command('plan', '--week');
    await command('profile');
    await otherScores(folder);
    await command('freeze', '--week');
    await command('score', '--week');
    await command('publish', '--week');
    expect(webhook.posted).toHaveLength(3);
    expect(await deliveries(folder)).toContainEqual(['1997-W11', 2, 'webhook', 'published again', 'delivered']);
  });
});

import { rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { postMessage } from '../../src/delivery/webhook.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { mailServer } from './mail-server.ts';
import { deliveries, deliveringProject, entries, MAIL, messages, WEBHOOK } from './project.ts';
import { type Answer, webhookServer } from './webhook-server.ts';

/** Runs the week of a new project, which must succeed whatever becomes of the message. */
async function run(delivery: string, environment: NodeJS.ProcessEnv) {
  const folder = await deliveringProject(delivery);
  const { code, stderr } = await scoreBatch(folder, ['--week'], environment);
  expect(code, stderr).toBe(0);
  expect((await entries(folder)).map(({ state }) => state)).toContain('completed');
  return { folder, warnings: stderr.split('\n').filter((line) => line.startsWith('warning: ')) };
}

const HUGE: Answer = (response) => {
  response.writeHead(200);
  const more = () => {
    while (response.writable && response.write('x'.repeat(65_536)));
  };
  response.on('drain', more);
  response.on('error', () => undefined);
  more();
};

describe('a webhook that', () => {
  it.each<[what: string, answer: Answer, warning: RegExp | undefined, entry: unknown[]]>([
    [
      'answers 500 may have passed the message on',
      (response) => void response.writeHead(500).end('invalid_blocks hush-hush-token'),
      /^warning: began to deliver publication 1 of 1997-W11 to webhook, and it is unknown whether it arrived: it answered 500; it will not be retried$/,
      ['delivering', 1, 'webhook', 'unknown', 500],
    ],
    [
      'answers 404 has not',
      (response) => void response.writeHead(404).end('no_service'),
      /^warning: could not deliver publication 1 of 1997-W11 to webhook: it answered 404; it will not be retried$/,
      ['undelivered', 1, 'webhook', 'failed', 404],
    ],
    [
      'asks for patience gets none',
      (response) => void response.writeHead(429, { 'retry-after': '1' }).end(),
      /it answered 429; it will not be retried$/,
      ['undelivered', 1, 'webhook', 'failed', 429],
    ],
    [
      'redirects is not followed',
      (response, { url }) => void response.writeHead(307, { location: `http://127.0.0.1:9${url}` }).end(),
      /it answered 307, and redirects are not followed; it will not be retried$/,
      ['undelivered', 1, 'webhook', 'failed', 307],
    ],
    [
      'hangs up may have read the message',
      (response) => void response.destroy(),
      /^warning: began to deliver .* to .*, and it is unknown whether it arrived: the connection was lost \(ECONNRESET\); it will not be retried$/,
      ['delivering', 1, 'webhook', 'unknown', null],
    ],
    ['answers without end is not listened to', HUGE, undefined, ['delivered', 1, 'webhook', 'delivered', 200]],
    [
      'never answers is waited for, but not for long',
      () => undefined,
      /^warning: began to deliver .* to .*, and it is unknown whether it arrived: no answer within 10 s; it will not be retried$/,
      ['delivering', 1, 'webhook', 'unknown', null],
    ],
  ])('%s', async (_, answer, warning, entry) => {
    const { url, posted } = await webhookServer(answer);
    const { folder, warnings } = await run(WEBHOOK, { CHURN_WEBHOOK_URL: url });
    expect(warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)]);
    expect(await messages(folder)).toEqual([['delivering', 1, 'webhook', null, null], entry]);
    expect((await scoreBatch(folder, ['--week', '--skip-published'], { CHURN_WEBHOOK_URL: url })).code).toBe(0);
    expect(posted).toHaveLength(1);
    expect((await entries(folder)).map(({ text }) => text).join()).not.toContain('hush-hush');
  });

  it.each([
    ['is not set', undefined, 'the environment variable CHURN_WEBHOOK_URL, which delivery.webhook names, is not set'],
    ['is not encrypted', 'http://hooks.example/hush-hush', 'the address in CHURN_WEBHOOK_URL does not begin with https://'],
    ['is no URL', 'hush-hush hooks', 'the value of CHURN_WEBHOOK_URL is not a URL'],
  ])('%s is told nothing, and later, when that is right', async (_, url, problem) => {
    const { folder, warnings } = await run(WEBHOOK, { CHURN_WEBHOOK_URL: url });
    expect(warnings).toEqual([`warning: 1997-W11 is published, but the message to webhook was not sent: ${problem}`]);
    expect(await messages(folder)).toEqual([]);
    const checked = await scoreBatch(folder, ['check'], { CHURN_WEBHOOK_URL: url });
    expect([checked.code, checked.stdout]).toEqual([78, expect.stringContaining(`FAILED  delivery: ${problem}\n`)]);
    expect(checked.stdout).not.toContain('hush-hush');
    const { url: right, posted } = await webhookServer();
    const again = await scoreBatch(folder, ['--week', '--skip-published'], { CHURN_WEBHOOK_URL: right });
    expect(again.code, again.stderr).toBe(0);
    expect(posted).toHaveLength(1);
  });

  it('refuses the connection is tried again for a while, since nothing was sent', async () => {
    const gone = await run(WEBHOOK, { CHURN_WEBHOOK_URL: `http://127.0.0.1:${await freePort()}/hush-hush` });
    expect(gone.warnings).toEqual([expect.stringMatching(/could not deliver .* to webhook: the connection was refused; /)]);
    expect(await messages(gone.folder)).toEqual([
      ['delivering', 1, 'webhook', null, null],
      ['undelivered', 1, 'webhook', 'failed', null],
    ]);
    const port = await freePort();
    let posted = 0;
    const server = http.createServer((request, response) => {
      posted += 1;
      request.resume();
      response.end();
    });
    setTimeout(() => server.listen(port, '127.0.0.1'), 1500);
    const sent = await postMessage(new URL(`http://127.0.0.1:${port}/`), { text: 'x' });
    server.close();
    expect([sent, posted]).toEqual([{ outcome: 'delivered', status: 200 }, 1]);
  });
});

describe('a mail server that', () => {
  it('refuses a recipient delivers to the others; one that refuses all is told nothing', async () => {
    const refusing = (wanted: RegExp) =>
      mailServer({
        onRcptTo: ({ address }, _, done) =>
          wanted.test(address) ? done(Object.assign(new Error(`no ${address} hush-hush`), { responseCode: 550 })) : done(),
      });
    const one = await refusing(/boss/);
    const some = await run(MAIL, { CHURN_SMTP_URL: `smtp://127.0.0.1:${one.port}` });
    expect(some.warnings).toEqual(['warning: delivered publication 1 of 1997-W11 to mail, but 1 of 3 recipients were refused']);
    expect(one.received.map(({ to }) => to)).toEqual([['marketing@shop.example', 'data@shop.example']]);
    expect(await deliveries(some.folder)).toEqual([['1997-W11', 1, 'mail', 'published', 'delivered']]);
    const all = await refusing(/./);
    const none = await run(MAIL, { CHURN_SMTP_URL: `smtp://127.0.0.1:${all.port}` });
    expect(none.warnings).toEqual([
      expect.stringMatching(/could not deliver .* to mail: every recipient was refused \(550\); /),
    ]);
    expect(await messages(none.folder)).toContainEqual(['undelivered', 1, 'mail', 'failed', 550]);
    expect(all.received).toEqual([]);
  });

  it('refuses the login or the mail is not asked twice, and nothing that it says is kept', async () => {
    const login = await mailServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: (_, __, done) => done(Object.assign(new Error('hush-hush is wrong'), { responseCode: 535 })),
    });
    const environment = { CHURN_SMTP_URL: `smtp://score:hush-hush@127.0.0.1:${login.port}` };
    const refused = await run(MAIL, environment);
    expect(refused.warnings).toEqual([expect.stringMatching(/could not deliver .* to mail: the login was refused \(535\); /)]);
    const checked = await scoreBatch(refused.folder, ['check'], environment);
    expect([checked.code, checked.stdout]).toEqual([77, expect.stringContaining('the login was refused (535)')]);
    expect(checked.stdout + refused.warnings.join()).not.toContain('hush-hush');

    const full = await mailServer({
      onData(stream, _, done) {
        stream.resume();
        stream.on('end', () => done(Object.assign(new Error('mailbox full hush-hush'), { responseCode: 552 })));
      },
    });
    const rejected = await run(MAIL, { CHURN_SMTP_URL: `smtp://127.0.0.1:${full.port}` });
    expect(rejected.warnings).toEqual([expect.stringMatching(/could not deliver .* to mail: the mail was refused \(552\); /)]);
    const all = (await entries(rejected.folder)).map(({ text }) => text).join();
    expect(all).not.toContain('hush-hush');
  });

  it('hangs may have the mail or not, by when it does', async () => {
    const silent = net.createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const before = await run(MAIL, { CHURN_SMTP_URL: `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}` });
    expect(before.warnings).toEqual([expect.stringMatching(/could not deliver .* to mail: no answer within 10 s; /)]);
    const swallowing = await mailServer({ onData: (stream) => void stream.resume() });
    const after = await run(MAIL, { CHURN_SMTP_URL: `smtp://127.0.0.1:${swallowing.port}` });
    expect(after.warnings).toEqual([
      expect.stringMatching(/began to deliver .* to mail, and it is unknown whether it arrived: no answer within 10 s; /),
    ]);
    expect(await deliveries(after.folder)).toEqual([['1997-W11', 1, 'mail', 'published', 'unknown']]);
    const shown = await scoreBatch(after.folder, ['status']);
    expect(shown.stdout).toMatch(
      /: began to deliver publication 1 to mail at .*, and it is unknown whether it arrived: no answer within 10 s; it will not be retried/,
    );
  });
});

describe('a job file', () => {
  it('cannot have secrets, line breaks in addresses, links that are none, or a delivery without page or target', async () => {
    const problems = async (delivery: string, edit?: (job: string) => string) => {
      const folder = await deliveringProject(delivery, edit && { edit });
      const { code, stderr } = await scoreBatch(folder, ['check']);
      expect(code).toBe(78);
      return stderr;
    };
    expect(await problems(' { webhook: { url_env: "https://hooks.example/x" } }')).toContain(
      'must be the name of an environment variable',
    );
    const mail = (address: string) => ` { mail: { smtp_env: A, from: a@b, to: ["${address}"] } }`;
    expect(await problems(mail('a@b\\nBcc: c@d'))).toContain('must not contain control characters');
    expect(await problems(mail('a@b, c@d'))).toContain('write an address like someone@example.com');
    const link = (text: string) => ` { link: "${text}", webhook: { url_env: A } }`;
    expect(await problems(link('javascript:x'))).toContain('must be an address like https://');
    expect(await problems(link('https://u:p@example.com/{window}'))).toContain('must not contain a user or password');
    expect(await problems(' {}')).toContain('must have webhook, mail or both');
  });

  it('needs a page to deliver', async () => {
    const folder = await deliveringProject(WEBHOOK, {
      edit: (job) => job.replace(/ {2}page: .*\n/, ''),
    });
    await rm(path.join(folder, 'reports'), { recursive: true, force: true });
    const { code, stderr } = await scoreBatch(folder, ['check']);
    expect([code, stderr]).toEqual([78, expect.stringContaining('needs report.page')]);
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseHTML } from 'linkedom';
import type { SMTPServerOptions } from 'smtp-server';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatch, scoreBatchProcess } from '../support/score-batch.ts';
import { mailServer, readMail } from './mail-server.ts';
import { deliveringProject, LINK, MAIL, messages, otherScores } from './project.ts';

const PASSWORD = 'p@ss:wörd/1';

function accepting(user: string, password: string): SMTPServerOptions {
  return {
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: (auth, _, done) => {
      if (auth.username === user && auth.password === password) done(null, { user });
      else done(new Error('Invalid username or password'));
    },
  };
}

describe('a mail', () => {
  it('has the paragraph as text and HTML, and the page attached, for everybody, with a login', async () => {
    const { received, port } = await mailServer(accepting('score', PASSWORD));
    const folder = await deliveringProject(LINK + MAIL, {
      edit: (job) => job.replace('  summary_table', '  page_keys: true\n  summary_table'),
    });
    const environment = { CHURN_SMTP_URL: `smtp://score:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}` };
    const checked = await scoreBatch(folder, ['check'], environment);
    expect(checked.stdout).toContain(
      `the mail server 127.0.0.1:${port} answers and accepts the login, without TLS; no mail was sent`,
    );
    expect(received).toEqual([]);
    const run = await scoreBatch(folder, ['--week'], environment);
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('delivered publication 1 of 1997-W11 to mail\n')]);
    expect(received).toMatchObject([
      { from: 'scores@shop.example', to: ['marketing@shop.example', 'boss@shop.example', 'data@shop.example'], user: 'score' },
    ]);
    const mail = readMail(received[0]?.raw ?? '');
    expect(mail.defects).toEqual([]);
    expect(mail.headers).toMatchObject({
      from: 'Scores <scores@shop.example>',
      to: 'Marketing <marketing@shop.example>, boss@shop.example',
      cc: 'data@shop.example',
      'message-id': expect.stringMatching(/^<linear\.1997-W11\.1\.[0-9a-f]{8}@shop\.example>$/),
      'auto-submitted': 'auto-generated',
    });
    expect(mail.headers.subject).toMatch(/^linear 1997-W11: \d+ of 98 users are expected to leave$/);
    expect(mail.parts.map(({ type, disposition, filename }) => [type, disposition, filename])).toEqual([
      ['text/plain', null, null],
      ['text/html', null, null],
      ['text/html', 'attachment', 'linear-1997-W11.html'],
    ]);
    const [text, html, page] = mail.parts.map(({ content }) => content);
    const { document } = parseHTML(html ?? '');
    const paragraph = document.querySelector('p')?.textContent?.trim() ?? '';
    expect(paragraph).toMatch(
      /^In the week of 10 to 16 March 1997 there were 98 users; \d+ \(\d+\.\d%\) are expected to leave\./,
    );
    expect(text).toContain(paragraph);
    expect(text).toContain('Open the report: https://reports.shop.example/linear-1997-W11.html');
    expect(document.querySelector('a')?.getAttribute('href')).toBe('https://reports.shop.example/linear-1997-W11.html');
    // The attached page is the one on disk, but for keys and links to other files.
    const attached = parseHTML(page ?? '').document;
    const local = parseHTML(await readFile(path.join(folder, 'reports/linear-1997-W11.html'), 'utf8')).document;
    expect(attached.querySelector('#week')?.textContent).toBe(local.querySelector('#week')?.textContent);
    expect([...attached.querySelectorAll('a')].filter((a) => !a.getAttribute('href')?.startsWith('#'))).toEqual([]);
    const headsOf = (of: typeof local) => [...of.querySelectorAll('#riskiest th[scope=col]')].map((head) => head.textContent);
    expect(headsOf(local)).toContain('user_id');
    expect(headsOf(attached)).not.toContain('user_id');
    expect(run.stderr + checked.stdout).not.toContain('p@ss');
  });

  it('corrects the one before it after a rollback, in the same conversation', async () => {
    const { received, port } = await mailServer();
    const folder = await deliveringProject(MAIL.concat('\n    page: none'));
    const environment = { CHURN_SMTP_URL: `smtp://127.0.0.1:${port}` };
    expect((await scoreBatch(folder, ['--week'], environment)).code).toBe(0);
    await otherScores(folder);
    expect((await scoreBatch(folder, ['--week'], environment)).code).toBe(0);
    const back = await scoreBatch(folder, ['rollback', '--week', '1997-W11', '--reason', 'Größe <b>“5%”</b>'], environment);
    expect(back.code, back.stderr).toBe(0);
    const mails = received.map(({ raw }) => readMail(raw));
    expect(mails.flatMap(({ defects }) => defects)).toEqual([]);
    expect(mails.map(({ headers }) => headers['in-reply-to'])).toEqual([
      undefined,
      mails[0]?.headers['message-id'],
      mails[1]?.headers['message-id'],
    ]);
    expect(new Set(mails.map(({ headers }) => headers['message-id'])).size).toBe(3);
    expect(mails[2]?.headers.subject).toMatch(/^Correction: linear 1997-W11 was rolled back: /);
    expect(mails[2]?.parts.map(({ type }) => type)).toEqual(['text/plain', 'text/html']);
    const because = '1997-W11 was rolled back from publication 2 to 1, because: Größe <b>“5%”</b>.';
    expect(mails[2]?.parts[0]?.content).toContain(because);
    const { document } = parseHTML(mails[2]?.parts[1]?.content ?? '');
    expect(document.querySelector('p')?.textContent).toContain(because);
  });

  it('goes to a server with TLS only if its certificate is trusted, and without TLS to none but this machine', async () => {
    const folder = await temporaryFolder();
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
      ].concat(['-addext', 'subjectAltName=DNS:localhost', '-keyout', 'own.key', '-out', 'own.pem']),
      { cwd: folder, stdio: 'pipe' },
    );
    const [key, cert] = await Promise.all(['own.key', 'own.pem'].map((name) => readFile(path.join(folder, name), 'utf8')));
    const trusting = { NODE_EXTRA_CA_CERTS: path.join(folder, 'own.pem') };
    const offering = await mailServer({ key: key ?? '', cert: cert ?? '' });
    const secure = await mailServer({ ...accepting('score', PASSWORD), key: key ?? '', cert: cert ?? '', secure: true });
    const project = await deliveringProject(MAIL);
    // Another name of this machine, which says nothing of where it is.
    const elsewhere = `smtp://127.1:${offering.port}`;
    for (const url of [elsewhere, `smtps://localhost:${secure.port}`]) {
      const refused = await scoreBatch(project, ['check'], { CHURN_SMTP_URL: url });
      expect(refused.code).toBe(69);
      expect(refused.stdout).toMatch(
        /FAILED {2}delivery: the mail server cannot be used: its certificate is not trusted \(\w+\)/,
      );
    }
    const run = await scoreBatch(project, ['--week'], { CHURN_SMTP_URL: elsewhere });
    expect([run.code, run.stderr]).toEqual([
      0,
      expect.stringMatching(/could not deliver .* to mail: its certificate is not trusted/),
    ]);
    expect(await messages(project)).toEqual([
      ['delivering', 1, 'mail', null, null],
      ['undelivered', 1, 'mail', 'failed', null],
    ]);
    expect([...offering.received, ...secure.received]).toEqual([]);

    // A relay on this machine may have any certificate; with one that is trusted the login and the mail go by TLS.
    const own = await deliveringProject(MAIL);
    const relay = { CHURN_SMTP_URL: `smtp://localhost:${offering.port}` };
    expect((await scoreBatch(own, ['--week'], relay)).stderr).toContain('delivered publication 1 of 1997-W11 to mail\n');
    expect(offering.received).toMatchObject([{ secure: true }]);
    const other = await deliveringProject(MAIL);
    const login = `smtps://score:${encodeURIComponent(PASSWORD)}@localhost:${secure.port}`;
    // Node reads the variable when it starts.
    const sent = await scoreBatchProcess(other, ['--week'], { ...trusting, CHURN_SMTP_URL: login });
    expect(sent.stderr).toContain('delivered publication 1 of 1997-W11 to mail\n');
    expect(secure.received).toMatchObject([{ secure: true, user: 'score' }]);
  });
});

import { createHash } from 'node:crypto';
import type { ToldPublication } from '../domain/deliveries.ts';
import type { JobDefinition } from '../job/schema.ts';
import { html } from '../page/html.ts';
import type { MailPackages } from './packages.ts';
import type { Mail } from './smtp.ts';
import type { Story } from './story.ts';

export type MailSettings = NonNullable<NonNullable<JobDefinition['delivery']>['mail']>;

interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** Longest subject, in characters. */
const MAX_SUBJECT = 200;

/** @param page the report page, as HTML */
export async function composeMail(
  story: Story,
  page: string,
  settings: MailSettings,
  { Composer }: Pick<MailPackages, 'Composer'>,
): Promise<Mail> {
  const from = mailbox(settings.from);
  const to = settings.to.map(mailbox);
  const cc = settings.cc.map(mailbox);
  const { job, window, told, title } = story;
  const ids = told.map((one) => idOf(story, one, from));
  const composer = new Composer({
    ...{ from, to, cc },
    subject: title.length <= MAX_SUBJECT ? title : `${title.slice(0, MAX_SUBJECT - 1)}…`,
    text: asText(story),
    html: settings.page === 'body' ? page : asHtml(story),
    // The same publication has the same id, so that a server recognizes duplicates; a correction refers to the messages that it
    // corrects.
    messageId: idOf(story, story, from),
    ...(told.length > 0 && {
      inReplyTo: ids.at(-1),
      references: ids,
    }),
    headers: { 'Auto-Submitted': 'auto-generated' },
    ...(settings.page === 'attachment' && {
      attachments: [{ filename: `${job}-${window}.html`, content: page, contentType: 'text/html; charset=utf-8' }],
    }),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const message = await composer.compile().build();
  return { envelope: { from: from.address, to: [...new Set([...to, ...cc].map(({ address }) => address))] }, message };
}

/** `Name <someone@example.com>` */
function mailbox(text: string): Mailbox {
  const [, name = '', address = text] = /^(.*) <(.*)>$/.exec(text) ?? [];
  return { name: name.trim(), address };
}

/** Two installations may share job, window and publication number, but not the run id. */
function idOf({ job, window }: Story, { publication, runId }: ToldPublication, from: Mailbox): string {
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
  const run = createHash('sha256').update(runId).digest('hex').slice(0, 8);
  return `<${job}.${window.replaceAll(/[^\w.-]/g, '-')}.${publication}.${run}@${domain}>`;
}

function asText({ title, correction, paragraph, link, source }: Story): string {
  const text = paragraph.map((run) => run.text).join('');
  const parts = [title, correction, text.trim(), link && `Open the report: ${link}`, source];
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
}

/** Inline styles: many mail readers ignore all others. */
function asHtml({ title, correction, paragraph, link, source }: Story): string {
  const warning =
    correction === undefined
      ? undefined
      : html`<p style="border-left: 4px solid #b45309; padding-left: 0.8em">${correction}</p>
`;
  const open =
    link === undefined
      ? undefined
      : html`<p><a href="${link}">Open the report</a></p>
`;
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">
<h1 style="font-size: 1.25em">${title}</h1>
${warning}<p>${paragraph.map(({ text, bold }) => (bold ? html`<b>${text}</b>` : text))}</p>
${open}<p style="color: #666; font-size: 0.85em">${source}</p>
</body>
</html>
`.html;
}

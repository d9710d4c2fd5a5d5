import { z } from 'zod';
import { text } from './fields.ts';

/** Names of environment variables, not their values: webhook addresses and mail server URLs are secrets. */
const variable = text.regex(
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  'must be the name of an environment variable, such as CHURN_WEBHOOK_URL: the address itself is a secret',
);

/** `someone@example.com`, or `Name <someone@example.com>` */
const mailbox = text
  .regex(
    /^(?:[^<>"\\,;:()@]+ <[^\s<>"\\,;:()@]+@[^\s<>"\\,;:()@]+>|[^\s<>"\\,;:()@]+@[^\s<>"\\,;:()@]+)$/u,
    'write an address like someone@example.com or Name <someone@example.com>',
  )
  .max(320);

const link = text.superRefine((template, context) => {
  const message = linkProblem(template);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** A window's label needs no check: it only contains letters, digits and `-`. */
function linkProblem(template: string): string | undefined {
  const text = template.replaceAll('{window}', 'window');
  if (!/^https?:\/\/[^\s<>|"]+$/.test(text) || !URL.canParse(text))
    return 'must be an address like https://reports.example.com/churn-{window}.html';
  const { username, password } = new URL(text);
  return username + password === '' ? undefined : 'must not contain a user or password: every recipient can read them';
}

export const delivery = z.strictObject({
  link: link.optional().describe('address of the report page for its readers; {window} becomes the label of the window'),
  webhook: z
    .strictObject({
      url_env: variable.describe('environment variable that has the address: https://hooks.slack.com/services/…'),
      format: z
        .enum(['blocks', 'text'])
        .default('blocks')
        .describe('blocks for Slack (Block Kit), or text, which Mattermost and others also read'),
    })
    .optional()
    .describe('posts the summary paragraph of the report page and the link to a webhook in the style of Slack'),
  mail: z
    .strictObject({
      smtp_env: variable.describe('environment variable that has the server: smtp://user:password@smtp.example.com:587'),
      from: mailbox.describe('sender of the mail'),
      to: z.array(mailbox).min(1, 'name at least one recipient').max(50).describe('recipients of the mail'),
      cc: z.array(mailbox).max(50).default([]).describe('recipients of a copy'),
      page: z
        .enum(['attachment', 'body', 'none'])
        .default('attachment')
        .describe(
          'how the mail contains the report page: as an attachment, as the body in place of the paragraph, or only as the link',
        ),
      tls: z
        .enum(['required', 'optional'])
        .default('required')
        .describe('optional sends without encryption if the server offers none'),
    })
    .optional()
    .describe('mails the summary paragraph of the report page, with the page'),
});

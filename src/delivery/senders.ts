import type { Target } from '../domain/delivery.ts';
import type { JobDefinition } from '../job/schema.ts';
import { type MailServer, mailServer, webhookAddress } from './addresses.ts';
import type { Attempt } from './attempt.ts';
import { chatMessage } from './chat.ts';
import { composeMail, type MailSettings } from './mail.ts';
import { loadMailPackages } from './packages.ts';
import { type SmtpOptions, sendMail } from './smtp.ts';
import type { Story } from './story.ts';
import { postMessage } from './webhook.ts';

export type DeliverySettings = NonNullable<JobDefinition['delivery']>;

/** Sends a prepared message: only sending itself can still fail. */
export type Send = () => Promise<Attempt>;

/** Prepares a message. @param page the report page, as HTML */
export type Sender = (story: Story, page: string) => Promise<Send>;

/**
 * The sender for a target.
 *
 * @throws ScoreBatchError `configuration` if the environment lacks its address, or a package is missing
 */
export async function senderOf(target: Target, settings: DeliverySettings, environment: NodeJS.ProcessEnv): Promise<Sender> {
  const { webhook, mail } = settings;
  if (target === 'webhook' && webhook !== undefined) {
    const address = webhookAddress(environment, webhook.url_env);
    return async (story) => {
      const message = chatMessage(story, webhook.format);
      return () => postMessage(address, message);
    };
  }
  if (target === 'mail' && mail !== undefined) {
    const options = await smtpOptions(mail, environment);
    return async (story, page) => {
      const composed = await composeMail(story, page, mail, options.packages);
      return () => sendMail(options, composed);
    };
  }
  throw new Error(`the job has no delivery.${target}`);
}

/** @throws ScoreBatchError `configuration` as `senderOf` */
export async function smtpOptions(mail: MailSettings, environment: NodeJS.ProcessEnv): Promise<SmtpOptions> {
  const server: MailServer = mailServer(environment, mail.smtp_env);
  return { server, encrypted: mail.tls === 'required' && !server.loopback, packages: await loadMailPackages() };
}

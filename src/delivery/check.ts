import { webhookAddress } from './addresses.ts';
import { type DeliverySettings, smtpOptions } from './senders.ts';
import { tryServer } from './smtp.ts';

/**
 * Checks whether messages could be sent, without sending any. A webhook cannot be tried, so only its address is checked; with a
 * mail server it connects and logs in.
 *
 * @returns the findings, for people
 * @throws ScoreBatchError `configuration` if the environment lacks an address, `unavailable` or `permission` depending on the
 * server's answer
 */
export async function checkDelivery({ webhook, mail }: DeliverySettings, environment: NodeJS.ProcessEnv): Promise<string> {
  const found: string[] = [];
  if (webhook !== undefined) {
    webhookAddress(environment, webhook.url_env);
    found.push(`${webhook.url_env} has the address of the webhook; nothing was posted to it`);
  }
  if (mail !== undefined) {
    const options = await smtpOptions(mail, environment);
    const { host, port, login } = options.server;
    const encrypted = await tryServer(options);
    const how = [login === undefined ? 'without a login' : 'and accepts the login', encrypted ? 'with TLS' : 'without TLS'];
    found.push(`the mail server ${host}:${port} answers ${how.join(', ')}; no mail was sent`);
  }
  return found.join('\n');
}

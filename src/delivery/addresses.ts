import { isIP } from 'node:net';
import { ScoreBatchError } from '../errors.ts';
import { registerSecret } from '../secrets.ts';

/** A mail server, from its environment variable. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** Whether the connection begins with TLS; else STARTTLS follows. */
  readonly secure: boolean;
  readonly login: { readonly user: string; readonly pass: string } | undefined;
  /** Whether the server is on this machine. */
  readonly loopback: boolean;
}

/**
 * The address of a webhook, from the environment. Messages mask it from now on.
 *
 * @param name of the variable
 * @throws ScoreBatchError `configuration` if it is not set, no URL, or neither https nor on this machine
 */
export function webhookAddress(environment: NodeJS.ProcessEnv, name: string): URL {
  const url = urlOf(environment, name, 'delivery.webhook', 'https://hooks.slack.com/services/…');
  registerSecret(`${url.pathname}${url.search}`);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url;
  throw new ScoreBatchError('configuration', `the address in ${name} does not begin with https://`, {
    hint: 'use https://: anyone who knows the address can post to the chat, so it is only sent encrypted; http:// is only for this machine',
  });
}

/** @throws ScoreBatchError `configuration` if the variable is not set, or is not the URL of a mail server */
export function mailServer(environment: NodeJS.ProcessEnv, name: string): MailServer {
  const example = 'smtp://user:password@smtp.example.com:587';
  const { protocol, hostname, port, username, password, search, pathname } = urlOf(environment, name, 'delivery.mail', example);
  const login = { user: decoded(username), pass: decoded(password) };
  registerSecret(password);
  registerSecret(login.pass);
  const secure = protocol === 'smtps:';
  if ((!secure && protocol !== 'smtp:') || hostname === '' || search !== '' || !['', '/'].includes(pathname)) {
    throw new ScoreBatchError('configuration', `the value of ${name} is not the URL of a mail server`, {
      hint: `write ${example}, or smtps:// for a server that starts with TLS; write @ : / in a password as %40 %3A %2F`,
    });
  }
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const usual = secure ? 465 : 587;
  return {
    ...{ host, secure, port: port === '' ? usual : Number(port), loopback: isLoopback(hostname) },
    login: username === '' ? undefined : login,
  };
}

function urlOf(environment: NodeJS.ProcessEnv, name: string, key: string, example: string): URL {
  const text = environment[name]?.trim();
  if (!text) {
    throw new ScoreBatchError('configuration', `the environment variable ${name}, which ${key} names, is not set`, {
      hint: `set it to an address like ${example}`,
    });
  }
  registerSecret(text);
  if (URL.canParse(text)) return new URL(text);
  throw new ScoreBatchError('configuration', `the value of ${name} is not a URL`, {
    hint: `set it to an address like ${example}`,
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

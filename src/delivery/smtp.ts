import { ScoreBatchError } from '../errors.ts';
import type { MailServer } from './addresses.ts';
import { type Attempt, attempt, connectionProblem, LIMIT_MS, NO_ANSWER, SOON_OVER } from './attempt.ts';
import type { MailPackages } from './packages.ts';

export interface SmtpOptions {
  readonly server: MailServer;
  /** Whether to refuse sending without TLS. */
  readonly encrypted: boolean;
  readonly packages: MailPackages;
}

/** A mail, ready to send. */
export interface Mail {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly message: Buffer;
}

type Connection = InstanceType<MailPackages['Connection']>;

/** The client's description of a failure. */
interface Failure {
  readonly code?: unknown;
  /** Code of the underlying system error. */
  readonly originalCode?: unknown;
  /** The command that failed; `CONN` for the connection. */
  readonly command?: unknown;
  readonly responseCode?: unknown;
}

/** Sends a mail, once. */
export async function sendMail(options: SmtpOptions, mail: Mail): Promise<Attempt> {
  return await attempt(async (left) => {
    let sending = false;
    try {
      return await connected(options, left, async (connection) => {
        sending = true;
        const { accepted, rejected } = await send(connection, mail);
        if (rejected === 0) return { outcome: 'delivered' };
        return { outcome: 'delivered', reason: `${rejected} of ${accepted + rejected} recipients were refused` };
      });
    } catch (error) {
      return failed(error as Failure, sending);
    }
  });
}

/**
 * Connects and logs in, without sending anything.
 *
 * @returns whether the connection is encrypted
 * @throws ScoreBatchError `unavailable`, or `permission` if the login is refused
 */
export async function tryServer(options: SmtpOptions): Promise<boolean> {
  try {
    return await connected(options, LIMIT_MS, async ({ secure }) => secure === true);
  } catch (error) {
    const { reason = '' } = failed(error as Failure, false);
    const refused = (error as Failure).code === 'EAUTH';
    throw new ScoreBatchError(refused ? 'permission' : 'unavailable', `the mail server cannot be used: ${reason}`, {
      hint: refused
        ? 'check the user and password in the URL of the mail server'
        : 'check the host, port and certificate; use smtps:// for a server that starts with TLS, smtp:// for any other',
    });
  }
}

/** Runs `work` with a logged-in connection, and closes it. @throws the client's error, or a `Failure` after `left` ms */
async function connected<T>(
  { server, encrypted, packages }: SmtpOptions,
  left: number,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { host, port, secure, login, loopback } = server;
  const connection = new packages.Connection({
    ...{ host, port, secure, requireTLS: encrypted && !secure },
    // Whatever the environment says about certificates. A local connection need not be encrypted, so a local relay with
    // STARTTLS may have any certificate.
    tls: { rejectUnauthorized: secure || !loopback },
    ...{ connectionTimeout: left, greetingTimeout: left, dnsTimeout: left, socketTimeout: left, socketCloseTimeout: 0 },
  });
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject({ code: 'ETIMEDOUT', command: 'CONN' } satisfies Failure), left);
    connection.on('error', reject);
  });
  try {
    await Promise.race([ended, called((done) => connection.connect(done))]);
    if (login !== undefined) await Promise.race([ended, called((done) => connection.login({ credentials: login }, done))]);
    const result = await Promise.race([ended, work(connection)]);
    connection.quit();
    return result;
  } finally {
    clearTimeout(timer);
    // Ignore errors after the end.
    ended.catch(() => undefined);
    connection.close();
  }
}

function called(start: (done: (error?: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}

function send(connection: Connection, { envelope, message }: Mail): Promise<{ accepted: number; rejected: number }> {
  return new Promise((resolve, reject) => {
    connection.send({ from: envelope.from, to: [...envelope.to] }, message, (error, info) => {
      if (error) reject(error);
      else resolve({ accepted: info?.accepted?.length ?? envelope.to.length, rejected: info?.rejected?.length ?? 0 });
    });
  });
}

/** @param sending whether the mail or its recipients were already being sent */
function failed({ code, originalCode, command, responseCode }: Failure, sending: boolean): Attempt {
  const status = typeof responseCode === 'number' ? { status: responseCode } : {};
  const answer = typeof responseCode === 'number' ? ` (${responseCode})` : '';
  if (command === 'RCPT TO') return { outcome: 'failed', ...status, reason: `every recipient was refused${answer}` };
  if (command === 'MAIL FROM') return { outcome: 'failed', ...status, reason: `the sender was refused${answer}` };
  if (sending && answer !== '') return { outcome: 'failed', ...status, reason: `the mail was refused${answer}` };
  if (sending) return { outcome: 'unknown', reason: code === 'ETIMEDOUT' ? NO_ANSWER : 'the connection was lost' };
  if (code === 'EAUTH') return { outcome: 'failed', ...status, reason: `the login was refused${answer}` };
  const system = typeof originalCode === 'string' ? originalCode : String(code);
  if (command === 'STARTTLS' || (code === 'ETLS' && originalCode === undefined))
    return { outcome: 'failed', ...status, reason: `the server does not encrypt the connection${answer}` };
  if (answer !== '') return { outcome: 'failed', ...status, reason: `the server answered ${responseCode}` };
  return { outcome: 'failed', reason: connectionProblem(system), again: SOON_OVER.includes(system) };
}

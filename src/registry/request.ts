import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { type TrackingServer, transferMs } from './server.ts';

export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT';
  /** Relative to the server's address, encoded. */
  readonly path: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Whether repeating it does no harm. */
  readonly repeatable: boolean;
}

/** An answer with its body still unread. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Can be read once. If reading fails, the registry is the cause. @throws ScoreBatchError as `send` */
  readonly body: AsyncIterable<Buffer>;
  /** Restarts the timeout, because part of the body has arrived. */
  more(): void;
  /** Closes the connection. Must be called once the body is read or not wanted. */
  end(): void;
}

/** Pauses before retries of an idempotent request. */
const PAUSES_MS = [500, 2000];

/**
 * Sends a request. Does not follow redirects: credentials and models are for the configured server only.
 *
 * @returns any answer but a redirect, 401, 403, 429 and 5xx
 * @throws ScoreBatchError `unavailable` if the server cannot be reached, does not answer in time or says that it is
 * unavailable, `permission` for 401 and 403, `configuration` for a redirect
 */
export async function send(server: TrackingServer, request: Request): Promise<Answer> {
  for (let tried = 0; ; tried++) {
    const pause = request.repeatable ? PAUSES_MS[tried] : undefined;
    try {
      const answer = await sendOnce(server, request);
      const { status } = answer;
      if (status === 429 || status >= 500) {
        answer.end();
        if (pause === undefined) throw down(server, `answers with ${status}`);
      } else return accepted(server, answer);
    } catch (error) {
      if (pause === undefined || server.signal.aborted || !isPassing(error)) throw error;
    }
    await sleep(pause, undefined, { signal: server.signal }).catch(() => {
      throw server.signal.reason;
    });
  }
}

/** Whether to retry at once: not if the server hung, because it would hang again. */
function isPassing(error: unknown): boolean {
  return error instanceof ScoreBatchError && error.registryDown && !/ did not answer within /.test(error.message);
}

/**
 * Not with `fetch`: Node ends its requests after 300 s, whatever `timeoutMs` is. Here only the timer below limits them. Each
 * request has a connection of its own: the other side may close a kept one just when it is used again.
 */
async function sendOnce(server: TrackingServer, { method, path, body }: Request): Promise<Answer> {
  const { base, signal } = server;
  if (signal.aborted) throw signal.reason;
  const url = new URL(`${base}${path}`);
  const timeoutMs = method === 'PUT' ? transferMs(server, body?.length ?? 0) : server.timeoutMs;
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const sent = start(url, { method, agent: false, headers: headersOf(server, body) });
  let response: IncomingMessage | undefined;
  let stopped: unknown;
  const stop = (reason: unknown): void => {
    stopped ??= reason;
    (response ?? sent).destroy(new Error('stopped', { cause: reason }));
  };
  const onAbort = () => stop(signal.reason);
  signal.addEventListener('abort', onAbort);
  const timer = setTimeout(() => stop(silent(base, timeoutMs)), timeoutMs);
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    sent.destroy();
  };
  try {
    response = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      // Not only once: an error that comes later reaches the reader through the body.
      sent.on('error', reject);
      sent.end(body);
    });
  } catch (error) {
    end();
    throw stopped ?? failure(base, error);
  }
  response.on('error', () => undefined);
  const { statusCode = 0, headers } = response;
  return { status: statusCode, headers, body: partsOf(response), more: () => timer.refresh(), end };

  async function* partsOf(answered: IncomingMessage): AsyncGenerator<Buffer> {
    try {
      yield* answered as AsyncIterable<Buffer>;
    } catch (error) {
      throw stopped ?? failure(base, error);
    }
  }
}

function headersOf({ headers }: TrackingServer, body: Request['body']): Record<string, string | number> {
  return {
    ...headers,
    ...{ accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'score-batch' },
    ...(body !== undefined && {
      'content-type': typeof body === 'string' ? 'application/json' : 'application/octet-stream',
      'content-length': Buffer.byteLength(body),
    }),
  };
}

function accepted({ base }: TrackingServer, answer: Answer): Answer {
  const { status, headers } = answer;
  if (status === 401 || status === 403) {
    answer.end();
    throw new ScoreBatchError('permission', `the registry at ${base} answers with ${status}`, {
      hint:
        status === 401
          ? 'set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD'
          : 'give the user of MLFLOW_TRACKING_USERNAME or MLFLOW_TRACKING_TOKEN permission for this model',
    });
  }
  if (status < 300 || status >= 400) return answer;
  answer.end();
  const target = headers.location ?? '';
  const elsewhere = URL.canParse(target, base) ? new URL(target, base).origin : 'an invalid address';
  throw new ScoreBatchError('configuration', `the registry at ${base} redirects to ${elsewhere}; redirects are not followed`, {
    hint: 'set MLFLOW_TRACKING_URI to the address of the tracking server itself; if this is a login page, set a token',
  });
}

function silent(base: string, ms: number): ScoreBatchError {
  return down({ base }, `did not answer within ${ms / 1000} s (MLFLOW_HTTP_REQUEST_TIMEOUT)`);
}

/** The error for a connection that failed. */
function failure(base: string, cause: unknown): ScoreBatchError {
  const code = systemCode(cause) ?? 'no connection';
  if (!/CERT|SELF_SIGNED|ISSUER|VERIFY|UNABLE_TO/.test(code)) return down({ base }, `cannot be reached (${code})`, cause);
  return new ScoreBatchError('configuration', `the certificate of the registry at ${base} is not trusted (${code})`, {
    hint: 'set NODE_EXTRA_CA_CERTS to the file of its certificate authority',
    cause,
  });
}

export function down({ base }: Pick<TrackingServer, 'base'>, what: string, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('unavailable', `the registry at ${base} ${what}`, {
    hint: 'try again when the registry is back; to score with the version that was last pinned, set registry.when_down: pinned in the job file',
    cause,
    registryDown: true,
  });
}

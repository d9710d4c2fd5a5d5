import { setTimeout as sleep } from 'node:timers/promises';
import { ScoreBatchError } from '../errors.ts';
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
  readonly response: Response;
  /** Restarts the timeout, because part of the body has arrived. */
  more(): void;
  /** Must be called once the body is read or not wanted. */
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
      const { status } = answer.response;
      if (status === 429 || status >= 500) {
        await dismiss(answer);
        if (pause === undefined) throw down(server, `answers with ${status}`);
      } else return await accepted(server, answer);
    } catch (error) {
      if (pause === undefined || !isPassing(error)) throw error;
    }
    await sleep(pause, undefined, { signal: server.signal });
  }
}

/** Whether to retry at once: not if the server hung, because it would hang again. */
function isPassing(error: unknown): boolean {
  return error instanceof ScoreBatchError && error.registryDown && !/ did not answer within /.test(error.message);
}

async function sendOnce(server: TrackingServer, request: Request): Promise<Answer> {
  const { base, headers, signal } = server;
  const { method, path, body } = request;
  const timeoutMs = method === 'PUT' ? transferMs(server, body?.length ?? 0) : server.timeoutMs;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), timeoutMs);
  try {
    const response = await fetch(`${base}${path}`, {
      ...{ method, redirect: 'manual', signal: AbortSignal.any([signal, silence.signal]) },
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(body !== undefined && {
          'content-type': typeof body === 'string' ? 'application/json' : 'application/octet-stream',
        }),
      },
      ...(body !== undefined && { body }),
    });
    return { response, more: () => timer.refresh(), end: () => clearTimeout(timer) };
  } catch (error) {
    clearTimeout(timer);
    throw failure({ base, timeoutMs, signal }, error);
  }
}

async function accepted({ base }: TrackingServer, answer: Answer): Promise<Answer> {
  const { status, headers } = answer.response;
  if (status === 401 || status === 403) {
    await dismiss(answer);
    throw new ScoreBatchError('permission', `the registry at ${base} answers with ${status}`, {
      hint:
        status === 401
          ? 'set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD'
          : 'give the user of MLFLOW_TRACKING_USERNAME or MLFLOW_TRACKING_TOKEN permission for this model',
    });
  }
  if (status < 300 || status >= 400) return answer;
  await dismiss(answer);
  const target = headers.get('location') ?? '';
  const elsewhere = URL.canParse(target, base) ? new URL(target, base).origin : 'an address that is none';
  throw new ScoreBatchError('configuration', `the registry at ${base} redirects to ${elsewhere}, which is not followed`, {
    hint: 'set MLFLOW_TRACKING_URI to the address of the tracking server itself; a page to log in needs a token instead',
  });
}

async function dismiss({ response, end }: Answer): Promise<void> {
  end();
  await response.body?.cancel().catch(() => undefined);
}

/** The error for a failed request, or for a failure while reading its answer. */
export function failure(server: Pick<TrackingServer, 'base' | 'timeoutMs' | 'signal'>, cause: unknown): unknown {
  if (server.signal.aborted) return server.signal.reason;
  if (cause instanceof ScoreBatchError) return cause;
  if (cause instanceof Error && cause.name === 'AbortError') {
    return down(server, `did not answer within ${server.timeoutMs / 1000} s (MLFLOW_HTTP_REQUEST_TIMEOUT)`, cause);
  }
  const code = codeOf(cause);
  if (!/CERT|SELF_SIGNED|ISSUER|VERIFY|UNABLE_TO/.test(code)) return down(server, `cannot be reached (${code})`, cause);
  return new ScoreBatchError('configuration', `the certificate of the registry at ${server.base} is not trusted (${code})`, {
    hint: 'name the file of its authority in NODE_EXTRA_CA_CERTS',
    cause,
  });
}

export function down({ base }: Pick<TrackingServer, 'base'>, what: string, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('unavailable', `the registry at ${base} ${what}`, {
    hint: 'try again when it is back; registry.when_down: pinned in a job file scores with the version that was pinned last',
    cause,
    registryDown: true,
  });
}

function codeOf(error: unknown): string {
  let said = 'no connection';
  for (let inner = error, depth = 0; inner instanceof Error && depth < 5; inner = inner.cause, depth++) {
    if ('code' in inner && typeof inner.code === 'string') return inner.code;
    // Some errors have only a few words: `bad port`.
    if (depth > 0 && /^[\w ]{1,40}$/.test(inner.message)) said = inner.message;
  }
  return said;
}

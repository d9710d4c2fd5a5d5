import { ScoreBatchError } from '../errors.ts';
import { registerSecret } from '../secrets.ts';

/** An MLflow tracking server, and how to call it. */
export interface TrackingServer {
  /** `https://mlflow.example:5000/path`, without a trailing slash or credentials. */
  readonly base: string;
  /** Include the credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Timeout for an answer, and for each further part of a long one. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const SECONDS = 30;
/** Slowest transfer to accept: large files get the time that they need, but none takes forever. */
const BYTES_PER_MS = 1000;
const FORM = 'set MLFLOW_TRACKING_URI to the address of the tracking server, such as https://mlflow.example.com';

/**
 * The server in MLFLOW_TRACKING_URI, with MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.
 *
 * @throws ScoreBatchError `configuration` if it is not set, or a variable is invalid
 */
export function trackingServer(environment: NodeJS.ProcessEnv, signal: AbortSignal): TrackingServer {
  const given = environment.MLFLOW_TRACKING_URI?.trim() ?? '';
  if (given === '') throw new ScoreBatchError('configuration', 'MLFLOW_TRACKING_URI is not set', { hint: FORM });
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ScoreBatchError('configuration', 'MLFLOW_TRACKING_URI is not an http or https address', { hint: FORM });
  }
  registerSecret(url.password === '' ? undefined : decoded(url.password));
  const timeoutMs = secondsOf(environment.MLFLOW_HTTP_REQUEST_TIMEOUT) * 1000;
  return {
    base: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    headers: credentials(environment, url),
    ...{ timeoutMs, signal },
  };
}

/** Time limit for the whole transfer of a file. */
export function transferMs({ timeoutMs }: Pick<TrackingServer, 'timeoutMs'>, bytes: number): number {
  return timeoutMs + Math.ceil(bytes / BYTES_PER_MS);
}

/** @throws ScoreBatchError `configuration` for an invalid `%` escape */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new ScoreBatchError(
      'configuration',
      'user or password in MLFLOW_TRACKING_URI have a % that does not begin an escape such as %25',
      {
        hint: 'write %25 for %, or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD',
        cause,
      },
    );
  }
}

function credentials(environment: NodeJS.ProcessEnv, url: URL): Record<string, string> {
  const { MLFLOW_TRACKING_TOKEN: token } = environment;
  const user = environment.MLFLOW_TRACKING_USERNAME || decoded(url.username);
  const password = environment.MLFLOW_TRACKING_PASSWORD || decoded(url.password);
  // As in MLflow's own client, a user takes precedence over a token.
  if (user !== '' && password !== '') {
    const basic = Buffer.from(`${user}:${password}`).toString('base64');
    registerSecret(basic);
    return { authorization: `Basic ${basic}` };
  }
  if (!token) return {};
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ScoreBatchError('configuration', 'MLFLOW_TRACKING_TOKEN has characters that a token cannot have', {
      hint: 'remove spaces and line breaks from the variable',
    });
  }
  return { authorization: `Bearer ${token}` };
}

function secondsOf(text: string | undefined): number {
  if (!text) return SECONDS;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0 && seconds <= 86_400) return seconds;
  throw new ScoreBatchError('configuration', 'MLFLOW_HTTP_REQUEST_TIMEOUT is not a number of seconds', {
    hint: `write seconds, such as ${SECONDS}`,
  });
}

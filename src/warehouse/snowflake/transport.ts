import { setTimeout as sleep } from 'node:timers/promises';
import { RetryBudget } from '../retry-budget.ts';
import { backoff, retryAfter, timeoutsOf } from '../timeouts.ts';

// The driver retries every failed request seven times, and the options that should change this have no effect. So its
// retries are disabled, and requests are retried here with the same limits as for other warehouses, within one budget.
// Logins are not retried here, because their proof of identity expires; see `openClient`.

/** The parts of a request of the driver's HTTP client that we use, and our own state. */
export interface Sent {
  url?: string | undefined;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly data?: unknown;
  /** Called before a redirect is followed; an exception fails the request. */
  beforeRedirect?: (target: object) => void;
  timeout?: number | undefined;
  /** The driver's flag: whether the request is safe to retry. */
  useSnowflakeRetryMiddleware?: boolean;
  /** The driver's flag, kept when it is switched off. */
  retryable?: boolean;
  failures?: number;
  firstSent?: number;
}

/** The parts of an answer that we check. */
export interface Answered {
  readonly data?: { readonly rowtype?: readonly ({ readonly name?: unknown } | null)[]; readonly rowset?: unknown } | null;
}

/** An answer before the driver reads it. */
interface Received {
  readonly config: Sent;
  readonly status?: number;
  data?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
}

interface SendingFailed {
  readonly config?: Sent;
  readonly code?: string;
  readonly response?: { readonly status: number; readonly headers?: Readonly<Record<string, unknown>> };
}

/** The parts of the driver's HTTP client that we use. */
export interface HttpClient {
  request(config: Sent): Promise<unknown>;
  readonly interceptors: {
    readonly request: { use(each: (config: Sent) => Sent): void };
    readonly response: {
      use(answered: (response: Received) => unknown, failed: (error: SendingFailed) => unknown): void;
    };
  };
}

/** Call once: the driver has one HTTP client for all connections. */
export function retryHere(client: HttpClient): void {
  const budgets = new Map<string, RetryBudget>();
  const budgetOf = ({ url = '' }: Sent): RetryBudget => {
    const { origin } = new URL(url);
    const budget = budgets.get(origin) ?? new RetryBudget('Snowflake');
    budgets.set(origin, budget);
    return budget;
  };
  client.interceptors.request.use((config) => {
    config.retryable ??= config.useSnowflakeRetryMiddleware === true;
    config.useSnowflakeRetryMiddleware = false;
    config.firstSent ??= Date.now();
    return config;
  });
  client.interceptors.response.use(
    (response) => {
      budgetOf(response.config).earn();
      return response;
    },
    async (error) => {
      const { config, response } = error;
      if (!config?.retryable || !isTransient(error)) throw error;
      const failures = (config.failures ?? 0) + 1;
      const timeouts = timeoutsOf(config.timeout ?? 60_000);
      if (failures >= timeouts.attempts) throw error;
      budgetOf(config).spend(error);
      await sleep(backoff(timeouts, failures, retryAfter(response?.headers?.['retry-after'])));
      return await client.request({ ...config, failures, url: retryUrl(config, failures) });
    },
  );
}

/** The failures that the driver considers transient; not a cancelled request or a refused redirect. */
function isTransient({ response, code }: SendingFailed): boolean {
  if (response === undefined) return code !== 'ERR_CANCELED' && !code?.startsWith('ERR_FR_');
  return response.status >= 500 || response.status === 408 || response.status === 429;
}

/** The URL with the driver's retry parameters, by which Snowflake finds the first request. */
function retryUrl({ url = '', firstSent }: Sent, failures: number): string {
  const address = new URL(url);
  address.searchParams.set('clientStartTime', String(firstSent));
  address.searchParams.set('retryCount', String(failures));
  return address.href;
}

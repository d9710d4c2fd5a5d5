import { setTimeout as sleep } from 'node:timers/promises';
import { RetryBudget } from '../retry-budget.ts';
import { backoff, retryAfter, timeoutsOf } from '../timeouts.ts';

// The driver sends a request seven times more, whatever the answer, and its options that would change this do not reach the
// place where it is done. So it is told not to, and a request is sent again here: as often and as late as to other
// warehouses, within one budget. Logins are not: their keys age, so that each is made anew; see `openClient`.

/** What is used of a request of the driver's HTTP client, and what is kept in it. */
export interface Sent {
  url?: string | undefined;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly data?: unknown;
  /** Called before a redirect is followed; what it throws ends the request. */
  beforeRedirect?: (target: object) => void;
  timeout?: number | undefined;
  /** Of the driver: whether the request bears being sent again. */
  useSnowflakeRetryMiddleware?: boolean;
  bearsRetry?: boolean;
  failures?: number;
  firstSent?: number;
}

/** What the driver reads of an answer, as far as it is looked at here. */
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

/** The driver's HTTP client, as far as it is used here. */
export interface HttpClient {
  request(config: Sent): Promise<unknown>;
  readonly interceptors: {
    readonly request: { use(each: (config: Sent) => Sent): void };
    readonly response: {
      use(answered: (response: Received) => unknown, failed: (error: SendingFailed) => unknown): void;
    };
  };
}

/** Call once: the driver has one client for all of its connections. */
export function retryHere(client: HttpClient): void {
  const budgets = new Map<string, RetryBudget>();
  const budgetOf = ({ url = '' }: Sent): RetryBudget => {
    const { origin } = new URL(url);
    const budget = budgets.get(origin) ?? new RetryBudget('Snowflake');
    budgets.set(origin, budget);
    return budget;
  };
  client.interceptors.request.use((config) => {
    config.bearsRetry ??= config.useSnowflakeRetryMiddleware === true;
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
      if (!config?.bearsRetry || !isTransient(error)) throw error;
      const failures = (config.failures ?? 0) + 1;
      const timeouts = timeoutsOf(config.timeout ?? 60_000);
      if (failures >= timeouts.attempts) throw error;
      budgetOf(config).spend(error);
      await sleep(backoff(timeouts, failures, retryAfter(response?.headers?.['retry-after'])));
      return await client.request({ ...config, failures, url: told(config, failures) });
    },
  );
}

/** What the driver itself takes for a failure that may pass; a request that is cancelled, or a redirect that is refused, is none. */
function isTransient({ response, code }: SendingFailed): boolean {
  if (response === undefined) return code !== 'ERR_CANCELED' && !code?.startsWith('ERR_FR_');
  return response.status >= 500 || response.status === 408 || response.status === 429;
}

/** The address as the driver writes it for what is sent again, by which Snowflake looks for the first one. */
function told({ url = '', firstSent }: Sent, failures: number): string {
  const address = new URL(url);
  address.searchParams.set('clientStartTime', String(firstSent));
  address.searchParams.set('retryCount', String(failures));
  return address.href;
}

import { ScoreBatchError } from '../errors.ts';
import { withoutValues } from '../without-values.ts';

/** Retries available before anything has succeeded: enough for several concurrent requests in an outage of a minute. */
const TOKENS = 50;

/** Tokens earned by an answer. The budget stays level if one request in eleven fails. */
const PER_SUCCESS = 0.1;

/**
 * Limits the retries of all requests together, so that a run gives up on an unhealthy warehouse. A retry takes a token, an
 * answer earns a fraction of one. `Timeouts.attempts` limits the attempts of a single request.
 *
 * A token bucket, as gRPC throttles retries: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export class RetryBudget {
  readonly #warehouse: string;
  #tokens = TOKENS;

  /** @param warehouse its display name */
  constructor(warehouse: string) {
    this.#warehouse = warehouse;
  }

  earn(): void {
    this.#tokens = Math.min(TOKENS, this.#tokens + PER_SUCCESS);
  }

  /**
   * @param failure the error that would be retried
   * @throws ScoreBatchError `unavailable` if the budget is used up
   */
  spend(failure: unknown): void {
    if (this.#tokens < 1) {
      throw new ScoreBatchError('unavailable', `too many requests to ${this.#warehouse} failed: giving up`, {
        details: [withoutValues(failure instanceof Error ? failure.message : String(failure))],
        hint: 'check its status page and run the same command again later: it resumes from the staged chunks',
        cause: failure,
      });
    }
    this.#tokens -= 1;
  }
}

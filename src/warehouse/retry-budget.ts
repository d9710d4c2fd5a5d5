import { ScoreBatchError } from '../errors.ts';
import { withoutValues } from '../without-values.ts';

/** What may be sent again before anything has succeeded: an outage of a minute, met by several requests at once. */
const TOKENS = 50;

/** What an answer gives back: where one in eleven requests fails the budget stays as it is. */
const PER_SUCCESS = 0.1;

/**
 * Bounds what all requests together send again, so that a warehouse that is sick is left alone: a retry takes a token, an
 * answer gives a part of one back. How often a single request is tried again is bounded beside it.
 *
 * A token bucket, as gRPC throttles retries: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export class RetryBudget {
  readonly #warehouse: string;
  #tokens = TOKENS;

  /** @param warehouse as people call it */
  constructor(warehouse: string) {
    this.#warehouse = warehouse;
  }

  earn(): void {
    this.#tokens = Math.min(TOKENS, this.#tokens + PER_SUCCESS);
  }

  /**
   * @param failure what would be tried again
   * @throws ScoreBatchError `unavailable` where nothing is left
   */
  spend(failure: unknown): void {
    if (this.#tokens < 1) {
      throw new ScoreBatchError('unavailable', `${this.#warehouse} fails too often: nothing is sent again any more`, {
        details: [withoutValues(failure instanceof Error ? failure.message : String(failure))],
        hint: 'look at its status page; start the same command again later: it goes on from the chunks that are staged',
        cause: failure,
      });
    }
    this.#tokens -= 1;
  }
}

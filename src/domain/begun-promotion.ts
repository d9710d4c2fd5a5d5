import { type LedgerEntry, type Run, runsOf } from './ledger.ts';
import type { Promotion } from './promotion.ts';

/** A promotion that was begun and has not ended. */
export type BegunPromotion = Run & { readonly details: { readonly promotion: Promotion } };

/** @param entries of one job, including all that began or ended a promotion */
export function begunPromotion(entries: readonly LedgerEntry[]): BegunPromotion | undefined {
  const last = runsOf(entries).findLast(({ details }) => details.promotion !== undefined);
  return last !== undefined && isBegun(last) ? last : undefined;
}

function isBegun(run: Run): run is BegunPromotion {
  return run.state === 'promoting' && run.details.promotion !== undefined;
}

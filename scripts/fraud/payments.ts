import type { Draws } from './draws.ts';
import { KINDS, type Merchant } from './merchants.ts';
import type { User } from './users.ts';

/** What really happened; the event tells everything except `fraud`. */
export interface Payment {
  readonly user: User;
  /** Epoch milliseconds. */
  readonly at: number;
  /** In cents. */
  readonly amount: number;
  readonly merchant: Merchant;
  readonly declined: boolean;
  /** Undefined for the user's own payments. */
  readonly fraud?: { readonly kind: FraudKind; readonly burst: number };
}

export type FraudKind = 'card testing' | 'account take-over' | 'single fraud';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;

/** How many payments in a thousand are made by the end of each of the 24 hours. */
const PAID_BY = [6, 9, 11, 13, 16, 24, 50, 95, 150, 205, 260, 325, 405, 470, 525, 580, 645, 720, 795, 865, 920, 960, 985, 1000];
const DECLINED = 0.03;
/** Share of payments with whole seconds, from terminals without milliseconds. */
const WHOLE_SECOND = 0.3;
/** Share of users who are in another country that day. */
const ABROAD = 0.04;
/** Share of payments at a favourite merchant. */
const FAVOURITE = 0.75;

/** A random moment of the day that begins at `start`; busy hours are more likely. */
export function momentOf(random: Draws, start: number): number {
  const share = random.share() * 1000;
  const hour = PAID_BY.findIndex((by) => share < by);
  return start + Math.floor((hour + random.share()) * 60 * MINUTE);
}

export function usualPayment(random: Draws, user: User, at: number, merchant: Merchant): Payment {
  const amount = Math.max(50, Math.round(user.usualAmount * KINDS[merchant.kind].times * random.factor(0.6)));
  return {
    user,
    at: random.chance(WHOLE_SECOND) ? at - (at % SECOND) : at,
    amount,
    merchant,
    declined: random.chance(DECLINED),
  };
}

/** Usual payments of one day: mostly at favourites, some while abroad. */
export function* usualPayments(
  random: Draws,
  users: readonly User[],
  merchants: readonly Merchant[],
  { start, count }: { readonly start: number; readonly count: number },
): Generator<Payment> {
  const total = users.reduce((sum, { activity }) => sum + activity, 0);
  for (const user of users) {
    const abroad = random.chance(ABROAD) ? random.pick(merchants).country : undefined;
    const near = merchants.filter(({ country }) => country === (abroad ?? user.homeCountry));
    const payments = Math.round((count * user.activity) / total);
    for (let i = 0; i < payments; i++) {
      const merchant = random.pick(abroad === undefined && random.chance(FAVOURITE) ? user.favourites : near);
      yield usualPayment(random, user, momentOf(random, start), merchant);
    }
  }
}

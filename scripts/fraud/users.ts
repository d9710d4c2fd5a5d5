import type { Draws } from './draws.ts';
import type { Merchant, MerchantKind } from './merchants.ts';

/** A user of the bank, and how that user usually spends. */
export interface User {
  readonly id: string;
  readonly homeCountry: string;
  /** Of those who moved lately: the table of users keeps the row of then, too. */
  readonly movedFrom: string | undefined;
  readonly accountAgeDays: number;
  readonly cards: number;
  /** What the median payment comes to, in cents. */
  readonly usualAmount: number;
  /** Weight of this user among all: some pay ten times as often as others. */
  readonly activity: number;
  readonly favourites: readonly Merchant[];
  /** Whether the table of users has a row: that of a new user can arrive later. */
  readonly isKnown: boolean;
}

/** Country → its share of the users. */
const COUNTRIES = { DE: 0.3, FR: 0.2, ES: 0.15, IT: 0.15, NL: 0.1, PL: 0.1 };
const UNKNOWN = 0.03;
const MOVED = 0.05;
const FAVOURITES = 8;
/** Share of the online merchants in other countries that a user knows. */
const ONLINE_ABROAD = 0.2;
/** Everybody buys these; the other favourites are of any kind. */
const DAILY: readonly MerchantKind[] = ['groceries', 'restaurants', 'transport'];

export function drawUsers(random: Draws, count: number, merchants: readonly Merchant[]): User[] {
  return Array.from({ length: count }, (_, i) => {
    const homeCountry = drawCountry(random.share());
    const near = merchants.filter(
      ({ country, isOnline }) => country === homeCountry || (isOnline && random.chance(ONLINE_ABROAD)),
    );
    const daily = near.filter(({ kind }) => DAILY.includes(kind));
    return {
      id: `user-${String(i + 1).padStart(5, '0')}`,
      homeCountry,
      movedFrom: random.chance(MOVED) ? drawCountry(random.share()) : undefined,
      accountAgeDays: random.chance(0.15) ? random.between(0, 30) : random.between(31, 3000),
      cards: random.between(1, 3),
      usualAmount: Math.round(1800 * random.factor(0.5)),
      activity: random.factor(0.6),
      favourites: Array.from({ length: FAVOURITES }, (_, at) => random.pick(at < FAVOURITES / 2 ? daily : near)),
      isKnown: !random.chance(UNKNOWN),
    };
  });
}

function drawCountry(share: number): string {
  let sum = 0;
  for (const [country, part] of Object.entries(COUNTRIES)) {
    sum += part;
    if (share < sum) return country;
  }
  return 'DE';
}

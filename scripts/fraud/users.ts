import type { Draws } from './draws.ts';
import type { Merchant, MerchantKind } from './merchants.ts';

/** A user of the bank with usual spending. */
export interface User {
  readonly id: string;
  readonly homeCountry: string;
  /** Previous country of users who moved lately; the table of users also keeps the old row. */
  readonly movedFrom: string | undefined;
  readonly accountAgeDays: number;
  readonly cards: number;
  /** The median payment in cents. */
  readonly usualAmount: number;
  /** Weight among all users; some pay ten times as often as others. */
  readonly activity: number;
  readonly favourites: readonly Merchant[];
  /** Whether the table of users has a row; that of a new user can arrive later. */
  readonly isKnown: boolean;
}

/** Country → share of users. */
const COUNTRIES = { DE: 0.3, FR: 0.2, ES: 0.15, IT: 0.15, NL: 0.1, PL: 0.1 };
const UNKNOWN = 0.03;
const MOVED = 0.05;
const FAVOURITES = 8;
/** Share of foreign online merchants that a user knows. */
const ONLINE_ABROAD = 0.2;
/** Everybody uses these; the other favourites are of any kind. */
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

import type { Draws } from './draws.ts';

/**
 * Kind of merchant → typical amount there, as a multiple of the user's usual amount. Online merchants have customers
 * everywhere.
 */
export const KINDS = {
  groceries: { times: 1.2, online: false },
  restaurants: { times: 1.4, online: false },
  transport: { times: 0.3, online: false },
  fuel: { times: 2.5, online: false },
  clothing: { times: 3, online: false },
  travel: { times: 8, online: true },
  electronics: { times: 7, online: true },
  gaming: { times: 0.3, online: true },
  subscriptions: { times: 0.5, online: true },
  'gift cards': { times: 2, online: true },
  transfers: { times: 5, online: true },
};
export type MerchantKind = keyof typeof KINDS;

export interface Merchant {
  readonly id: string;
  readonly kind: MerchantKind;
  readonly country: string;
  readonly isOnline: boolean;
}

/** Countries of merchants; some have no users. */
const COUNTRIES = ['DE', 'FR', 'ES', 'IT', 'NL', 'PL', 'GB', 'US', 'BR', 'TH'];
const PER_KIND_AND_COUNTRY = 4;

export function drawMerchants(random: Draws): Merchant[] {
  const merchants = COUNTRIES.flatMap((country) =>
    Object.entries(KINDS).flatMap(([kind, { online }]) =>
      Array.from({ length: PER_KIND_AND_COUNTRY }, () => ({ kind: kind as MerchantKind, country, isOnline: online })),
    ),
  );
  // Numbers that reveal neither kind nor country.
  const numbers = merchants.map((_, i) => i + 1);
  for (let i = numbers.length - 1; i > 0; i--) {
    const j = random.between(0, i);
    [numbers[i], numbers[j]] = [numbers[j] ?? 0, numbers[i] ?? 0];
  }
  return merchants.map((merchant, i) => ({ id: `shop-${String(numbers[i]).padStart(4, '0')}`, ...merchant }));
}

import type { Draws } from './draws.ts';
import type { Merchant, MerchantKind } from './merchants.ts';
import { DAY, type FraudKind, MINUTE, momentOf, type Payment, SECOND, usualPayment } from './payments.ts';
import type { User } from './users.ts';

/** Many payments of one user within minutes: by thieves, and by users in a hurry, so that speed alone proves nothing. */
export interface BurstSetting {
  readonly random: Draws;
  readonly users: readonly User[];
  readonly merchants: readonly Merchant[];
  /** Start of the day. */
  readonly start: number;
}

/** Bursts of each kind per thousand payments of a day. */
const FRAUD: Readonly<Record<FraudKind, number>> = { 'card testing': 0.5, 'account take-over': 0.6, 'single fraud': 0.6 };
const HARMLESS = { spree: 2, games: 1, retries: 1.5 };

const NIGHT = DAY / 4;

/** @param count usual payments of the day */
export function* fraudOfDay(setting: BurstSetting, count: number): Generator<Payment> {
  const { random, users, start } = setting;
  const make = { 'card testing': cardTesting, 'account take-over': takeOver, 'single fraud': singleFraud };
  let burst = 0;
  for (const [kind, rate] of Object.entries(FRAUD) as [FraudKind, number][]) {
    const bursts = Math.max(1, Math.round((rate * count) / 1000));
    for (let i = 0; i < bursts; i++) {
      burst += 1;
      // Thieves prefer the night, but not always.
      const at = random.chance(0.3) ? start + Math.floor(random.share() * NIGHT) : momentOf(random, start);
      for (const payment of make[kind](setting, random.pick(users), at)) {
        yield { ...payment, fraud: { kind, burst } };
      }
    }
  }
}

/** @param count usual payments of the day */
export function* harmlessBursts(setting: BurstSetting, count: number): Generator<Payment> {
  const { random, users, start } = setting;
  const make = { spree, games, retries };
  for (const [kind, rate] of Object.entries(HARMLESS) as [keyof typeof HARMLESS, number][]) {
    const bursts = Math.max(1, Math.round((rate * count) / 1000));
    for (let i = 0; i < bursts; i++) yield* make[kind](setting, random.pick(users), momentOf(random, start));
  }
}

/** Merchants at which small amounts are common. */
const TRIED: readonly MerchantKind[] = ['gaming', 'subscriptions', 'gift cards'];

/** A stolen card is tried with small amounts at many shops until payments pass, then used. */
function* cardTesting({ random, merchants }: BurstSetting, user: User, from: number): Generator<Payment> {
  // Mostly shops of the user's own country, so that no single payment gives it away.
  const tried = merchants.filter(
    ({ kind, country }) => TRIED.includes(kind) && (country === user.homeCountry || random.chance(0.05)),
  );
  const shops = Array.from({ length: random.between(4, 8) }, () => random.pick(tried));
  let at = from;
  for (let i = random.between(8, 22); i > 0; i--) {
    // Some payments are in the same millisecond, because a program makes them.
    if (!random.chance(0.1)) at += Math.round(SECOND + random.wait(9 * SECOND));
    yield {
      user,
      at,
      amount: Math.round(450 * random.factor(0.5)),
      merchant: random.pick(shops),
      declined: random.chance(0.4),
    };
  }
  for (let i = random.between(1, 2); i > 0; i--) {
    at += Math.round(random.wait(30 * SECOND));
    yield { user, at, amount: random.between(20_000, 90_000), merchant: random.pick(shops), declined: random.chance(0.3) };
  }
}

const CASHED: readonly MerchantKind[] = ['transfers', 'gift cards', 'electronics'];

/** Somebody else has the account: large amounts in another country, at merchants that the user never chose. */
function* takeOver({ random, merchants }: BurstSetting, user: User, from: number): Generator<Payment> {
  const country = random.pick(merchants.filter((one) => one.country !== user.homeCountry)).country;
  const shops = merchants.filter((one) => one.country === country && CASHED.includes(one.kind));
  let at = from;
  for (let i = random.between(3, 8); i > 0; i--) {
    const amount = Math.round(user.usualAmount * (4 + 8 * random.share()) * random.factor(0.3));
    yield { user, at, amount, merchant: random.pick(shops), declined: random.chance(0.25) };
    at += Math.round(5 * SECOND + random.wait(60 * SECOND));
  }
}

/** One payment that looks much like any other; windows cannot detect it. */
function* singleFraud({ random, merchants }: BurstSetting, user: User, at: number): Generator<Payment> {
  const shops = merchants.filter(({ country, kind }) => country === user.homeCountry && kind !== 'transport');
  yield {
    ...usualPayment(random, user, at, random.pick(shops)),
    amount: Math.round(user.usualAmount * 4 * random.factor(0.5)),
  };
}

/** A user on a shopping trip. */
function* spree({ random, merchants }: BurstSetting, user: User, from: number): Generator<Payment> {
  const shops = merchants.filter(
    ({ country, kind }) =>
      country === user.homeCountry && (kind === 'clothing' || kind === 'restaurants' || kind === 'electronics'),
  );
  let at = from;
  for (let i = random.between(4, 9); i > 0; i--) {
    yield usualPayment(random, user, at, random.pick(shops));
    at += Math.round(20 * SECOND + random.wait(90 * SECOND));
  }
}

/** Many small payments at one game. */
function* games({ random, merchants }: BurstSetting, user: User, from: number): Generator<Payment> {
  const game = random.pick(merchants.filter(({ kind }) => kind === 'gaming'));
  let at = from;
  for (let i = random.between(6, 15); i > 0; i--) {
    yield { ...usualPayment(random, user, at, game), amount: random.pick([99, 199, 299, 499]) };
    at += Math.round(3 * SECOND + random.wait(15 * SECOND));
  }
}

/** A card without funds, tried repeatedly at one till. */
function* retries({ random }: BurstSetting, user: User, from: number): Generator<Payment> {
  const payment = usualPayment(random, user, from, random.pick(user.favourites));
  const tries = random.between(2, 5);
  for (let i = 0; i < tries; i++) yield { ...payment, at: from + i * random.between(8, 20) * SECOND, declined: true };
  yield { ...payment, at: from + 2 * MINUTE, declined: false };
}

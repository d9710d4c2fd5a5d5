import { seededRandom } from '../../src/random.ts';

/** Payments to generate load: fields as in jobs/fraud/fraud.features.yaml, random users, times slightly out of order. */
export interface LoadOptions {
  readonly seed: number;
  readonly users: number;
  /** Events per second of event time. */
  readonly rate: number;
  /** Epoch milliseconds of the first event. */
  readonly start: number;
}

export interface LoadEvent {
  readonly key: string;
  readonly value: string;
}

const CATEGORIES = [
  'groceries',
  'restaurants',
  'transport',
  'fuel',
  'clothing',
  'travel',
  'electronics',
  'gaming',
  'transfers',
];
const COUNTRIES = ['DE', 'FR', 'IT', 'ES', 'NL', 'PL', 'SE', 'US'];
const MERCHANTS = 5000;
/** Maximum milliseconds by which an event arrives after its time. */
const DELAY_MS = 1500;

/** Draws the n-th event. Not pure: calls must be in order. */
export function loadEvents({ seed, users, rate, start }: LoadOptions): (n: number, at?: number) => LoadEvent {
  const random = seededRandom(seed);
  const whole = (below: number) => Math.floor(random() * below);
  return (n, now) => {
    const key = `u${whole(users)}`;
    const at = now ?? start + Math.floor((n * 1000) / rate) - (random() < 0.2 ? whole(DELAY_MS) : 0);
    const merchant = whole(MERCHANTS);
    const value = `{"transaction_id":"t${seed}-${n}","user_id":"${key}","at":${at},"amount":${100 + whole(20_000)},"merchant":"m${merchant}","category":"${CATEGORIES[merchant % CATEGORIES.length]}","country":"${COUNTRIES[whole(whole(10) === 0 ? COUNTRIES.length : 1)]}","declined":${random() < 0.03}}`;
    return { key, value };
  };
}

/** Static attributes of the load's users: key and value of a compacted topic. */
export function* loadUsers({ seed, users }: Pick<LoadOptions, 'seed' | 'users'>): Generator<LoadEvent> {
  const random = seededRandom(seed + 1);
  for (let i = 0; i < users; i += 1) {
    const age = Math.floor(random() * 3000);
    const usual = 500 + Math.floor(random() * 4000);
    yield {
      key: `u${i}`,
      value: `{"home_country":"${COUNTRIES[Math.floor(random() * 3)]}","account_age_days":${age},"cards":${1 + Math.floor(random() * 3)},"usual_amount":${usual}}`,
    };
  }
}

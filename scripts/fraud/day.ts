import { fraudOfDay, harmlessBursts } from './bursts.ts';
import { draws } from './draws.ts';
import { drawMerchants } from './merchants.ts';
import { DAY, type FraudKind, type Payment, usualPayments } from './payments.ts';
import { drawUsers, type User } from './users.ts';

/** An event of the topic as applications write it; nothing in it tells whether it is fraud. */
export interface Transaction {
  readonly transaction_id: string;
  readonly user_id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** In cents; null if it was lost. */
  readonly amount: number | null;
  readonly merchant: string;
  readonly category: string;
  readonly country: string;
  readonly declined: boolean;
}

export interface Label {
  readonly kind: FraudKind;
  /** Unique number of the burst across all days. */
  readonly burst: number;
}

export interface DrawnDays {
  readonly users: readonly User[];
  /** In order of time. */
  readonly transactions: readonly Transaction[];
  /** By transaction id; fraud only. */
  readonly labels: ReadonlyMap<string, Label>;
}

export interface DayOptions {
  readonly seed: number;
  readonly users: number;
  /** Usual payments per day, without bursts. */
  readonly payments: number;
  /** Start of the first day, epoch milliseconds. */
  readonly start: number;
  readonly days: number;
}

/** Draws payments of users and thieves from a seed. */
export function drawDays({ seed, users: count, payments: perDay, start, days }: DayOptions): DrawnDays {
  const random = draws(seed);
  const merchants = drawMerchants(random);
  const users = drawUsers(random, count, merchants);
  const payments: Payment[] = [];
  let bursts = 0;
  for (let day = 0; day < days; day++) {
    const setting = { random, users, merchants, start: start + day * DAY };
    const before = bursts;
    for (const payment of fraudOfDay(setting, perDay)) {
      const fraud = payment.fraud && { ...payment.fraud, burst: before + payment.fraud.burst };
      bursts = Math.max(bursts, fraud?.burst ?? 0);
      payments.push(fraud ? { ...payment, fraud } : payment);
    }
    payments.push(...harmlessBursts(setting, perDay));
    payments.push(...usualPayments(random, users, merchants, { start: setting.start, count: perDay }));
  }
  // A burst can begin before midnight and end after it; the last day cuts it off.
  const within = payments.filter(({ at }) => at < start + days * DAY).sort((a, b) => a.at - b.at);
  const labels = new Map<string, Label>();
  const transactions = within.map((payment, i) => {
    const id = `tx-${String(i + 1).padStart(7, '0')}`;
    if (payment.fraud) labels.set(id, payment.fraud);
    return transactionOf(id, payment);
  });
  return { users, transactions, labels };
}

function transactionOf(id: string, { user, at, amount, merchant, declined }: Payment): Transaction {
  return {
    transaction_id: id,
    user_id: user.id,
    at,
    amount,
    merchant: merchant.id,
    category: merchant.kind,
    country: merchant.country,
    declined,
  };
}

import type { Aggregate, Condition, EventFeatures } from '../../../src/event-features/definition.ts';

const MINUTE = 60_000;

/** Every aggregate on every type that it takes, three lengths of windows, and every kind of condition. */
export const FEATURES: EventFeatures = {
  name: 'agreement',
  asOf: 'event',
  key: 'user_id',
  id: 'transaction_id',
  time: 'at',
  fields: [
    { name: 'transaction_id', type: 'string' },
    { name: 'user_id', type: 'string' },
    { name: 'at', type: 'int64' },
    { name: 'amount', type: 'int64' },
    { name: 'risk', type: 'float64' },
    { name: 'merchant', type: 'string' },
    { name: 'country', type: 'string' },
    { name: 'declined', type: 'bool' },
  ],
  latenessMs: 5000,
  skewMs: 2000,
  log: { partition: 'kafka_partition', offset: 'kafka_offset', timestamp: 'kafka_timestamp' },
  features: [
    feature('transactions_5m', 'count', undefined, 5 * MINUTE),
    feature('amounts_5m', 'count', 'amount', 5 * MINUTE),
    feature('amount_5m', 'sum', 'amount', 5 * MINUTE),
    feature('mean_amount_5m', 'mean', 'amount', 5 * MINUTE),
    feature('smallest_5m', 'min', 'amount', 5 * MINUTE),
    feature('largest_1m', 'max', 'amount', MINUTE),
    feature('safest_10m', 'min', 'risk', 10 * MINUTE),
    feature('riskiest_10m', 'max', 'risk', 10 * MINUTE),
    feature('first_merchant_5m', 'min', 'merchant', 5 * MINUTE),
    feature('last_merchant_5m', 'max', 'merchant', 5 * MINUTE),
    feature('merchants_5m', 'distinct', 'merchant', 5 * MINUTE),
    feature('different_amounts_10m', 'distinct', 'amount', 10 * MINUTE),
    feature('answers_1m', 'distinct', 'declined', MINUTE),
    feature('declined_1m', 'count', undefined, MINUTE, [{ field: 'declined', is: [true] }]),
    feature('large_5m', 'sum', 'amount', 5 * MINUTE, [{ field: 'amount', atLeast: 50_000, below: undefined }]),
    feature('doubtful_10m', 'count', 'country', 10 * MINUTE, [{ field: 'risk', atLeast: 0.2, below: 0.75 }]),
    feature('mean_abroad_5m', 'mean', 'amount', 5 * MINUTE, [
      { field: 'country', is: ['fr', "it's"] },
      { field: 'declined', is: [false] },
    ]),
    feature('since_last', 'since', undefined, 5 * MINUTE),
    feature('since_declined', 'since', undefined, 10 * MINUTE, [{ field: 'declined', is: [true] }]),
    feature('last_country', 'last', 'country', 10 * MINUTE),
    feature('latest_amount', 'last', 'amount', 5 * MINUTE),
    feature('latest_risk', 'last', 'risk', 5 * MINUTE, [{ field: 'declined', is: [false] }]),
    feature('latest_answer', 'last', 'declined', MINUTE),
  ],
  digest: 'agreement',
};

function feature(
  name: string,
  aggregate: Aggregate,
  field: string | undefined,
  windowMs: number,
  where: readonly Condition[] = [],
) {
  return { name, aggregate, field, windowMs, where };
}

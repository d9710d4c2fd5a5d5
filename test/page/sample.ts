import type { Evaluated, IndexData, PageData, SegmentBands, Totals } from '../../src/page/page-data.ts';

/** Users per tenth of 1997-W11, their mean score, and (as if known) how many did not come back. */
const TENTHS: readonly (readonly [users: number, mean: number])[] = [
  [206, 0.8831],
  [205, 0.8783],
  [205, 0.8735],
  [206, 0.8669],
  [205, 0.8578],
  [205, 0.838],
  [206, 0.8283],
  [205, 0.812],
  [205, 0.7962],
  [205, 0.7281],
];

/** Users, mean score and users per band of each value of `basket`. */
const BASKETS: readonly (readonly [
  value: string,
  before: Totals,
  bands: readonly [high: number, medium: number, low: number],
])[] = [
  ['1 CD', { users: 1118, expected: 972.7 }, [206, 402, 415]],
  ['2–3 CDs', { users: 742, expected: 606.2 }, [0, 8, 701]],
  ['4+ CDs', { users: 341, expected: 262.1 }, [0, 0, 321]],
];

const MEANS = [
  [0.8831, 0.8759, 0.8531],
  [0, 0.8712, 0.8146],
  [0, 0, 0.7699],
] as const;
const BAND_NAMES = ['high', 'medium', 'low'] as const;

/** Users and mean score of the windows before; W08 was not published. */
const WEEKS: readonly (readonly [label: string, users: number, mean: number])[] = [
  ['1996-W52', 1204, 0.8402],
  ['1997-W01', 1611, 0.8377],
  ['1997-W02', 1784, 0.8351],
  ['1997-W03', 1750, 0.8344],
  ['1997-W04', 1873, 0.8359],
  ['1997-W05', 1838, 0.8336],
  ['1997-W06', 1871, 0.8325],
  ['1997-W07', 1973, 0.8358],
  ['1997-W08', 0, 0],
  ['1997-W09', 2233, 0.8336],
];

const REASONS = [
  'only 1 order in the week',
  '1 CD, usually 3',
  'spent 11.77 USD, usually 35.28',
  'first order on a Monday',
  'paid 11.77 USD per CD, usually 13.97',
];

const values: SegmentBands[] = BASKETS.map(([value, , users], row) => {
  const bands = users.flatMap((number, band) => {
    const mean = MEANS[row]?.[band] ?? 0;
    return number === 0 ? [] : [{ band: BAND_NAMES[band] ?? '', users: number, expected: number * mean }];
  });
  return { segment: 'basket', value, ...sumOf(bands), bands };
});

const all: SegmentBands = {
  segment: 'all',
  value: 'all',
  ...sumOf(values),
  bands: BAND_NAMES.map((band) => ({ band, ...sumOf(values.flatMap((row) => row.bands.filter((one) => one.band === band))) })),
};

const totals: Totals = { users: all.users, expected: all.expected };
const before = { label: '1997-W10', ...sumOf(BASKETS.map(([, one]) => one)) };

const trend = [
  ...WEEKS.map(([label, users, mean]) => ({
    label,
    totals: users === 0 ? undefined : { users, expected: users * mean },
  })),
  { label: before.label, totals: { users: before.users, expected: before.expected } },
  { label: '1997-W11', totals },
];

const earlier = trend.slice(2, -1).flatMap((point) => (point.totals ? [point.totals] : []));

/** The new customers of a CD shop in a week, with everything known that can be. */
export const SAMPLE: PageData = {
  job: {
    name: 'churn-weekly',
    description: 'New customers of a week, with the probability that they place no further order within 28 days.',
    nouns: { one: 'new customer', many: 'new customers', outcome: 'place no further order' },
    zone: 'America/New_York',
    keyColumns: ['customer_id'],
    minCell: 10,
  },
  window: { label: '1997-W11', start: '1997-03-10T05:00:00.000Z', end: '1997-03-17T05:00:00.000Z', kind: 'week' },
  totals,
  before,
  average: {
    windows: earlier.length,
    users: sumOf(earlier).users / earlier.length,
    expected: sumOf(earlier).expected / earlier.length,
  },
  change: {
    segment: 'basket',
    values: BASKETS.map(([value, then], i) => ({ value, now: sumOf([values[i] as Totals]), before: then })),
  },
  distribution: {
    edges: [0.7682, 0.8022, 0.8202, 0.8308, 0.8447, 0.8606, 0.8694, 0.8751, 0.8803],
    now: [0.094, 0.098, 0.101, 0.096, 0.099, 0.104, 0.102, 0.1, 0.099, 0.107],
    before: [0.101, 0.103, 0.097, 0.1, 0.102, 0.099, 0.098, 0.101, 0.1, 0.099],
    reference: [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
  },
  bandRules: {
    by: 'share',
    bounds: [
      { name: 'high', bound: 100_000 },
      { name: 'medium', bound: 300_000 },
    ],
    rest: 'low',
  },
  bands: [all, ...values],
  deciles: TENTHS.map(([users, mean], i) => ({ decile: i + 1, users, expected: users * mean })),
  bandsExplain: 0.4213,
  trend,
  outcome: {
    newest: evaluated('1997-W09', { inSample: false, auc: 0.5613, interval: [0.531, 0.5916] }),
    deciles: [190, 195, 189, 191, 188, 187, 182, 181, 178, 172].map((positives, i) => ({
      decile: i + 1,
      users: i < 3 ? 224 : 223,
      positives,
    })),
    calibration: [172, 178, 181, 182, 187, 188, 191, 189, 195, 190].map((positives, i) => ({
      users: i < 3 ? 224 : 223,
      positives,
      meanScore: [0.724, 0.794, 0.811, 0.826, 0.837, 0.856, 0.866, 0.873, 0.878, 0.8832][i] ?? 0,
    })),
    series: [
      evaluated('1997-W04', { inSample: true, auc: 0.5958, interval: [0.562, 0.63] }),
      evaluated('1997-W05', { inSample: true, auc: 0.6021, interval: [0.568, 0.636] }),
      evaluated('1997-W06', { inSample: true, auc: 0.5893, interval: [0.556, 0.623] }),
      evaluated('1997-W07', { inSample: false, auc: 0.5679, interval: [0.5342, 0.6016] }),
      evaluated('1997-W09', { inSample: false, auc: 0.5613, interval: [0.531, 0.5916] }),
    ],
    groups: [],
  },
  outcomeKnownFrom: '1997-04-14T04:00:00.000Z',
  riskiest: Array.from({ length: 20 }, (_, i) => ({
    rank: i + 1,
    key: [String(10_000 + ((i * 7919) % 2053))],
    score: 0.8894 - i * 0.00021,
    band: 'high',
    reasons: [0, 1, 2].map((n) => REASONS[(n === 0 ? 0 : n + (i % 3)) % REASONS.length] ?? ''),
    holdout: i === 4 || i === 13,
  })),
  reasons: { features: 3, method: 'shapley' },
  leftOut: [
    { reason: 'unknown category', column: 'basket', rows: 8 },
    { reason: 'null in a required feature', column: 'amount', rows: 3 },
    { reason: 'duplicate key', column: '', rows: 2 },
  ],
  drift: [
    drift('amount', 0.131, [
      ['under 12', 0.22, 0.16],
      ['12–20', 0.21, 0.18],
      ['20–35', 0.2, 0.25],
      ['35–60', 0.21, 0.24],
      ['60 or more', 0.16, 0.17],
    ]),
    drift('cds', 0.048, [
      ['1', 0.498, 0.451],
      ['2', 0.211, 0.224],
      ['3', 0.135, 0.143],
      ['4 or more', 0.156, 0.182],
    ]),
    drift('orders', 0.012, [
      ['1', 0.957, 0.946],
      ['2', 0.038, 0.046],
      ['3 or more', 0.005, 0.008],
    ]),
    drift('price_per_cd', 0.007),
    drift('weekday', 0.004),
  ],
  links: { index: 'index.html', list: 'churn-1997-W11.csv' },
  run: {
    runId: '01J9ZK3V5T8Q2M6N4R7P0WXYAB',
    model: {
      name: 'churn',
      version: '1997-03-10',
      digest: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    },
    dataAsOf: '1997-03-17T13:00:00.000Z',
    publishedAt: '1997-03-17T13:00:02.000Z',
    provider: 'cpu',
    seconds: { plan: 0.31, score: 0.62, publish: 0.44, report: 0.39 },
    cost: undefined,
    entryNumber: 14,
    warnings: [],
    accepted: undefined,
    rollback: undefined,
    version: '0.1.0',
  },
};

/** The list of the same job's windows. */
export const SAMPLE_INDEX: IndexData = {
  job: SAMPLE.job,
  windows: trend.toReversed().map(({ label, totals: one }, i) => ({
    label,
    totals: one,
    href: one && `churn-${label}.html`,
    publishedAt: one && new Date(Date.UTC(1997, 2, 17, 13) - i * 7 * 86_400_000).toISOString(),
  })),
  entryNumber: 14,
};

function evaluated(
  label: string,
  { inSample, auc, interval }: { inSample: boolean; auc: number; interval: readonly [number, number] },
): Evaluated {
  return {
    label,
    inSample,
    users: 2233,
    positives: 1853,
    auc,
    aucInterval: interval,
    averagePrecision: 0.858,
    brier: 0.1394,
    meanScore: 0.8336,
  };
}

function drift(feature: string, psi: number, bins?: readonly (readonly [name: string, now: number, reference: number])[]) {
  return {
    feature,
    psi,
    nullShare: 0,
    referenceNullShare: 0,
    limit: 0.25,
    bins: bins?.map(([name, now, reference]) => ({ name, now, reference })),
  };
}

function sumOf(rows: readonly Totals[]): Totals {
  return {
    users: rows.reduce((sum, { users }) => sum + users, 0),
    expected: rows.reduce((sum, { expected }) => sum + expected, 0),
  };
}

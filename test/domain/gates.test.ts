import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyGates, type GateContext, type GateResult } from '../../src/domain/gates.ts';
import type { RejectionTally } from '../../src/domain/reconciliation.ts';
import type { Refusal } from '../../src/domain/refusal.ts';
import type { RunRows } from '../../src/domain/rows.ts';
import type { TextCounts } from '../../src/domain/text-counts.ts';

const LIMITS = { min_rows: 1, max_quarantine_rate: 0.01, psi_min_rows: 100 };
const REFERENCE = { edges: [0.5], shares: [0.5, 0.5] };

function rows(frozen: number, quarantined = 0): RunRows {
  return { frozen, scored: frozen - quarantined, quarantined };
}

interface Case extends Partial<Omit<GateContext, 'limits'>> {
  readonly rows: RunRows;
  readonly limits?: Partial<GateContext['limits']>;
  readonly rejections?: readonly RejectionTally[];
  readonly scoreCounts?: readonly number[];
  readonly texts?: TextCounts;
}

function gate({ rows: counted, limits, rejections = [], scoreCounts, texts = {}, ...context }: Case): GateResult {
  return applyGates(
    { pinned: [], rows: counted, rejections, scoreCounts, texts },
    {
      refuseDuplicates: false,
      superseded: undefined,
      previous: undefined,
      reference: undefined,
      allowEmpty: false,
      ...context,
      limits: { ...LIMITS, ...limits },
    },
  );
}

it('passes a window within its limits', () => {
  expect(
    gate({ rows: rows(1000, 10), texts: { plan: [10, 5], day: [0, 0] }, limits: { max_drop: 0.5 }, superseded: rows(2000) }),
  ).toEqual({
    refusals: [],
    warnings: [],
    scorePsi: undefined,
  });
});

describe('drift from the previous window', () => {
  const limits = { max_score_psi: 0.3 };
  const before = { label: '1997-W10', edges: [0.5], counts: [75, 25] };
  const drift = (scoreCounts: readonly number[], more: Partial<Case> = {}) =>
    gate({ rows: rows(100), limits, reference: REFERENCE, before, scoreCounts, ...more });

  it('has the same limit as drift from the reference, with a message of its own', () => {
    const baselines = (scoreCounts: readonly number[]) => drift(scoreCounts).refusals.map(({ baseline }) => baseline);
    expect(baselines([50, 50])).toEqual([]);
    expect(drift([25, 75]).refusals).toEqual([
      {
        gate: 'max_score_psi',
        message: 'the scores drifted from those of 1997-W10, of the same model: PSI 1.099, gates.max_score_psi is 0.3',
        measured: expect.closeTo(Math.log(3), 9),
        limit: 0.3,
        baseline: 'previous',
      },
    ]);
    expect(baselines([90, 10])).toEqual(['reference']);
    expect(baselines([1, 99])).toEqual(['reference', 'previous']);
    expect(drift([1, 99], { limits: {} }).refusals).toEqual([]);
  });

  it('is checked only if both windows have enough scores; otherwise warns', () => {
    const few = { ...before, counts: [9, 90] };
    expect(drift([50, 50], { before: few })).toMatchObject({
      refusals: [],
      warnings: ['drift check against 1997-W10 skipped: it has 99 scores, gates.psi_min_rows is 100'],
    });
    expect(drift([9, 90], { rows: rows(99) }).scorePsiBefore).toBeUndefined();
    // Without a reference, the previous window is still compared.
    expect(drift([25, 75], { reference: undefined, limits: {} }).scorePsiBefore).toBeCloseTo(Math.log(3), 9);
  });
});

describe('refuses, with the number and the limit,', () => {
  it.each<[string, Case, Partial<Refusal>]>([
    [
      'too few rows',
      { rows: rows(99), limits: { min_rows: 100 } },
      { gate: 'min_rows', message: 'the window has 99 rows, gates.min_rows is 100', measured: 99, limit: 100 },
    ],
    [
      'too many quarantined rows',
      { rows: rows(200, 3) },
      {
        gate: 'max_quarantine_rate',
        message: '1.5 % of the rows were quarantined, gates.max_quarantine_rate is 1 %',
        measured: 0.015,
        limit: 0.01,
      },
    ],
    [
      'text that the model was not trained on',
      { rows: rows(2000), texts: { day: [10, 5], plan: [1411, 706] } },
      {
        gate: 'never_seen',
        feature: 'plan',
        message: 'more than half of the values of plan were never seen in training: 706 of 1,411 are not among its categories',
        measured: 706 / 1411,
        limit: 0.5,
      },
    ],
    [
      'nothing but quarantined rows',
      { rows: rows(5, 5), limits: { max_quarantine_rate: 1 } },
      { gate: 'all_quarantined', message: 'every row was quarantined: 0 of 5 could be scored', measured: 0, limit: 1 },
    ],
    [
      'fewer rows than the publication it supersedes',
      { rows: rows(300), limits: { max_drop: 0.5 }, superseded: rows(1000), previous: rows(1) },
      {
        gate: 'max_drop',
        message: 'the window has 300 rows, 70 % fewer than the publication it would supersede; gates.max_drop is 50 %',
        measured: 0.7,
        limit: 0.5,
      },
    ],
    [
      'fewer rows than the previous window',
      { rows: rows(300), limits: { max_drop: 0.5 }, previous: rows(1000) },
      {
        gate: 'max_drop',
        message: 'the window has 300 rows, 70 % fewer than the previous window; gates.max_drop is 50 %',
        measured: 0.7,
        limit: 0.5,
      },
    ],
    [
      'duplicate keys if the job refuses them',
      {
        rows: rows(1000, 5),
        refuseDuplicates: true,
        rejections: [
          { reason: 'duplicate key', columnName: 'id', rows: 4 },
          { reason: 'null key', columnName: 'id', rows: 1 },
        ],
      },
      {
        gate: 'duplicates',
        message: '4 rows share their key with another, and source.duplicates is refuse',
        measured: 4,
        limit: 0,
      },
    ],
    [
      'scores that have drifted',
      { rows: rows(1000), limits: { max_score_psi: 0.25 }, reference: REFERENCE, scoreCounts: [900, 100] },
      {
        gate: 'max_score_psi',
        baseline: 'reference',
        message: "the scores drifted from the bundle's reference: PSI 0.879, gates.max_score_psi is 0.25",
        measured: expect.closeTo(0.8789, 4),
        limit: 0.25,
      },
    ],
  ])('%s', (_, given, refusal) => {
    expect(gate(given).refusals).toEqual([refusal]);
  });

  it('for every reason at once', () => {
    const all: Case = {
      rows: rows(100, 50),
      limits: { min_rows: 101, max_drop: 0.5, max_score_psi: 0.1, psi_min_rows: 1 },
      refuseDuplicates: true,
      rejections: [{ reason: 'duplicate key', columnName: 'id', rows: 50 }],
      superseded: rows(1000),
      reference: REFERENCE,
      scoreCounts: [50, 0],
    };
    expect(gate(all).refusals).toHaveLength(5);
  });
});

it('does not mention duplicates that the job quarantines', () => {
  const rejections = [{ reason: 'duplicate key', columnName: 'id', rows: 4 }];
  expect(gate({ rows: rows(1000, 4), rejections }).refusals).toEqual([]);
});

it('passes exactly at the limit: n percent of the rows are not more than n percent', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 50 }), (percent, hundreds) => {
      const total = hundreds * 100;
      const part = hundreds * percent;
      const limit = percent / 100;
      expect(gate({ rows: rows(total, part), limits: { max_quarantine_rate: limit } }).refusals).toEqual([]);
      expect(gate({ rows: rows(total, part + 1), limits: { max_quarantine_rate: limit } }).refusals).toHaveLength(1);
      expect(gate({ rows: rows(total - part), limits: { max_drop: limit }, superseded: rows(total) }).refusals).toEqual([]);
      if (total - part > 1) {
        expect(
          gate({ rows: rows(total - part - 1), limits: { max_drop: limit }, superseded: rows(total) }).refusals,
        ).toHaveLength(1);
      }
    }),
  );
});

it('shows different numbers for the measured value and the limit', () => {
  // 1.0001 % against 1 %, and 50.0001 % against 50 %
  const { refusals } = gate({
    rows: rows(1_000_000, 10_001),
    limits: { max_quarantine_rate: 0.01, max_drop: 0.5 },
    superseded: rows(2_000_004),
  });
  expect(refusals).toHaveLength(2);
  for (const refusal of refusals) {
    const [measured, limit] = refusal.message.match(/[\d.]+(?= %)/g) ?? [];
    expect(measured).not.toBe(limit);
  }
});

describe('the drift of the scores', () => {
  const drifted: Case = { rows: rows(100), reference: REFERENCE, scoreCounts: [90, 10] };
  it('is measured without a limit too, but gives no warning then', () => {
    const { refusals, scorePsi } = gate(drifted);
    expect(refusals).toEqual([]);
    expect(scorePsi).toBeCloseTo(0.8789, 4);
  });

  it.each([
    ['fewer scored rows than psi_min_rows', { rows: rows(101, 2), limits: { max_quarantine_rate: 1 }, scoreCounts: [89, 10] }],
    ['no reference in the bundle', { reference: undefined }],
    ['no counts', { scoreCounts: [] as number[], reference: undefined }],
  ])('is not measured with %s', (_, change) => {
    expect(gate({ ...drifted, ...change }).scorePsi).toBeUndefined();
  });
});

describe('a window without rows', () => {
  const EMPTY = 'the window has no rows';
  const PUBLISHED = { refusals: [], warnings: ['the window has no rows; it is published empty'], scorePsi: undefined };

  it.each<[string, Omit<Case, 'rows'>, string]>([
    ['by default', {}, EMPTY],
    ['over an empty publication', { superseded: rows(0) }, EMPTY],
    ['over a full one', { superseded: rows(7) }, 'the window has no rows now and 7 are published'],
    [
      'over a full one, with min_rows: 0 as well',
      { limits: { min_rows: 0 }, superseded: rows(7) },
      'the window has no rows now and 7 are published',
    ],
  ])('is refused %s', (_, given, refusal) => {
    expect(gate({ rows: rows(0), ...given })).toEqual({
      refusals: [{ gate: 'empty', message: refusal, measured: 0, limit: 1 }],
      warnings: [],
      scorePsi: undefined,
    });
  });

  it.each<[string, Omit<Case, 'rows'>]>([
    ['with min_rows: 0', { limits: { min_rows: 0 } }],
    ['with min_rows: 0 over an empty publication', { limits: { min_rows: 0, max_drop: 0 }, superseded: rows(0) }],
    ['with --allow-empty', { allowEmpty: true }],
    ['with --allow-empty over a full publication', { allowEmpty: true, superseded: rows(7), limits: { max_drop: 0 } }],
  ])('is published with a warning %s', (_, given) => {
    expect(gate({ rows: rows(0), ...given })).toEqual(PUBLISHED);
  });
});

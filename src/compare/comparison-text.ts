import type { Comparison, OutcomeMeasures } from '../domain/comparison.ts';
import { grouped } from '../domain/counted.ts';
import type { CheckedLimit } from './comparison.ts';
import { percent, score, sentencesOf, showLimit, showSide, signed } from './sentences.ts';

/** Lays out rows under a header; see `alignTable` of the terminal. */
export type Align = (header: readonly string[], rows: readonly (readonly string[])[]) => string;

/** A comparison for a terminal: sentences first, then tables. */
export function showComparison(comparison: Comparison, limits: readonly CheckedLimit[], align: Align): string {
  const { a, b, notes, differences, largest, bands, outcomes } = comparison;
  const blocks = [
    [`A  ${showSide(a)}`, `B  ${showSide(b)}`].join('\n'),
    [...sentencesOf(comparison), ...notes.map((note) => `Note: ${note}.`)].join('\n'),
    ...(limits.length === 0 ? [] : [`limits\n${align(['limit', 'measured', 'allowed', ''], limits.map(limitRow))}`]),
    `scores\n${align(['', ...SHARES, 'mean'], scoreRows(comparison))}`,
    ...(bands === null
      ? []
      : [
          `users by band, A down, B across\n${align(
            ['', ...bands.names],
            bands.names.map((from) => bandRow(bands, from)),
          )}`,
        ]),
    ...(outcomes === null
      ? []
      : [
          `outcomes of ${outcomes.by === 'paired' ? 'the users in both' : 'the users of each side'}\n${align(
            ['', 'users', 'came true', 'AUC', '95 % interval', 'Brier score', 'calibration error'],
            [outcomeRow('A', outcomes.a), outcomeRow('B', outcomes.b)],
          )}`,
        ]),
    ...(differences === null || largest.length === 0
      ? []
      : [
          `largest differences\n${align(
            ['key', 'A', 'B', 'B − A'],
            largest.map(({ key, score_a, score_b, difference }) => [
              key.join(', '),
              score(score_a),
              score(score_b),
              signed(difference),
            ]),
          )}`,
        ]),
  ];
  return blocks.join('\n\n');
}

const SHARES = ['1 %', '5 %', '25 %', '50 %', '75 %', '95 %', '99 %'];

function limitRow(limit: CheckedLimit): string[] {
  const { name, value, state } = limit;
  return [name, value === null ? '-' : String(Number(value.toFixed(6))), String(limit.limit), state];
}

function scoreRows({ a, b, differences }: Comparison): string[][] {
  const side = (name: string, of: typeof a) => [
    name,
    ...SHARES.map((_, i) => showed(of.quantiles[i]?.value, score)),
    showed(of.mean_score, score),
  ];
  return [
    side('A', a),
    side('B', b),
    ...(differences === null
      ? []
      : [['B − A', ...SHARES.map((_, i) => showed(differences.quantiles[i]?.value, signed)), signed(differences.mean)]]),
  ];
}

function bandRow({ names, moves }: NonNullable<Comparison['bands']>, from: string): string[] {
  return [from, ...names.map((to) => grouped(moves.find((move) => move.from === from && move.to === to)?.users ?? 0))];
}

function outcomeRow(name: string, { users, positives, auc, auc_low, auc_high, brier, calibration_error }: OutcomeMeasures) {
  const measure = (value: number) => value.toFixed(4);
  return [
    name,
    grouped(users),
    users === 0 ? '-' : percent(positives / users),
    showed(auc, measure),
    auc_low === null || auc_high === null ? '-' : `${measure(auc_low)} to ${measure(auc_high)}`,
    showed(brier, measure),
    showed(calibration_error, measure),
  ];
}

function showed(value: number | null | undefined, show: (value: number) => string): string {
  return value === null || value === undefined ? '-' : show(value);
}

/** One line per exceeded limit. */
export function exceeded(limits: readonly CheckedLimit[]): string[] {
  return limits.filter(({ state }) => state === 'beyond').map(showLimit);
}

import { meanScore } from './change.ts';
import type { Evaluated, OutcomeData, PageData, Totals } from './page-data.ts';

/**
 * Below this, discrimination is poor; from here on, acceptable (Hosmer, Lemeshow and Sturdivant, Applied Logistic Regression,
 * 2013, 5.2.4).
 */
const ACCEPTABLE_AUC = 0.7;
/** From here on, excellent (same source). */
const EXCELLENT_AUC = 0.8;

/**
 * - `none`: all scores are equal, or the interval of the AUC contains 0.5 or lies below it
 * - `little`: AUC below 0.7
 * - `fair`: AUC below 0.8
 * - `well`: AUC of at least 0.8
 */
type Verdict = 'none' | 'little' | 'fair' | 'well';

export interface Separation {
  readonly verdict: Verdict;
  /** Whether this is based on outcomes, or only on the scores, assumed to be right. */
  readonly basis: 'outcome' | 'scores';
  /** Label of the window with the outcomes. */
  readonly label: string | undefined;
  /** AUC on that basis; undefined if there are too few users. */
  readonly auc: number | undefined;
  readonly interval: readonly [low: number, high: number] | undefined;
  /** Mean score of the riskiest and of the least risky tenth; undefined with fewer than two tenths. */
  readonly tenths: { readonly top: number; readonly bottom: number } | undefined;
  readonly bandsExplain: number | undefined;
}

/**
 * How well the scores separate users; undefined if there are fewer than two users. Based on the outcome if it is known for a
 * window that the model was not trained on.
 */
export function separationOf({
  deciles,
  bandsExplain,
  outcome,
  totals,
}: Pick<PageData, 'deciles' | 'bandsExplain' | 'outcome' | 'totals'>): Separation | undefined {
  if (totals.users < 2) return undefined;
  const top = deciles[0] && meanScore(deciles[0]);
  const bottom = deciles.length > 1 ? meanScore(deciles.at(-1) as Totals) : undefined;
  const tenths = top === undefined || bottom === undefined ? undefined : { top, bottom };
  const known = outcome && believed(outcome);
  const auc = known?.auc ?? impliedAuc(deciles);
  const basis = known?.auc === undefined ? 'scores' : 'outcome';
  const interval = basis === 'outcome' ? known?.aucInterval : undefined;
  const verdict = bandsExplain === undefined ? 'none' : verdictOf(auc, interval);
  return { verdict, basis, label: basis === 'outcome' ? known?.label : undefined, auc, interval, tenths, bandsExplain };
}

/**
 * The reliable evaluation: that of the newest window, for its untreated users if treatment is known, since contact changes what
 * happens; if the model was trained on it, that of the newest earlier window on which it was not. Undefined if there is none.
 */
export function believed({ newest, series, groups }: OutcomeData): Evaluated | undefined {
  const untreated = groups.find(({ group }) => group === 'untreated')?.evaluated;
  return [untreated, newest, ...series.toReversed()].find((one) => one && !one.inSample && one.users > 0);
}

/**
 * The AUC that the scores would have if each were exactly right, from the tenths: of all pairs of one user with the outcome and
 * one without, the expected share in which the first has the higher score. Pairs within a tenth count one half, so it is a
 * lower bound. Undefined if all are certain to have the same outcome.
 *
 * @param groups highest score first
 */
export function impliedAuc(groups: readonly Totals[]): number | undefined {
  let above = 0;
  let ordered = 0;
  for (const { users, expected } of groups) {
    const without = users - expected;
    ordered += above * without + (expected * without) / 2;
    above += expected;
  }
  const others = groups.reduce((sum, { users, expected }) => sum + users - expected, 0);
  return above > 0 && others > 0 ? ordered / (above * others) : undefined;
}

function verdictOf(auc: number | undefined, interval: Separation['interval']): Verdict {
  if (auc === undefined || auc <= 0.5 || (interval && interval[0] <= 0.5)) return 'none';
  if (auc < ACCEPTABLE_AUC) return 'little';
  return auc < EXCELLENT_AUC ? 'fair' : 'well';
}

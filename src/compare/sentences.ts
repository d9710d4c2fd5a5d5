import type { Comparison, SideFacts } from '../domain/comparison.ts';
import { counted, grouped } from '../domain/counted.ts';
import { MAJOR_PSI, STABLE_PSI } from '../domain/psi.ts';
import type { CheckedLimit, LimitName } from './comparison.ts';

/** A comparison in plain sentences, the most important first. */
export function sentencesOf(comparison: Comparison): string[] {
  const { a, b, coverage, differences, ranks, bands, psi } = comparison;
  const mean =
    a.mean_score === null || b.mean_score === null
      ? []
      : [`The mean score is ${score(a.mean_score)} in A and ${score(b.mean_score)} in B${drift(psi)}.`];
  return [
    coverageSentence(comparison),
    ...(differences === null
      ? [...mean, 'No user is in both, so only the distributions are compared.']
      : [
          ...(differences.equal === differences.users
            ? [`B scores ${differences.users === 1 ? 'the user' : 'all users'} in both exactly like A.`]
            : [
                `${changeSentence(differences)} ${grouped(differences.equal)} of ${grouped(coverage.both)} have the same score.`,
              ]),
          ...mean,
          ...(ranks === null
            ? []
            : [
                `The riskiest tenth is the same for ${percent(ranks.top_decile_overlap)} of its users${ranks.spearman === null ? '' : `, and the rank correlation (Spearman) is ${ranks.spearman.toFixed(3)}`}.`,
              ]),
          ...(bands === null ? [] : [`${percent(bands.moved)} of the users in both move to another band.`]),
        ]),
    ...outcomeSentences(comparison),
  ];
}

function coverageSentence({ coverage: { both, only_a, only_b } }: Comparison): string {
  if (only_a + only_b === 0) return `A and B have the same ${counted(both, 'user')}.`;
  return `${counted(both, 'user is', 'users are')} in both; ${grouped(only_a)} only in A, ${grouped(only_b)} only in B.`;
}

function changeSentence({ much_higher, much_lower }: NonNullable<Comparison['differences']>): string {
  if (much_higher + much_lower === 0) return 'No score differs by more than 0.1;';
  return `B scores ${counted(much_higher, 'user')} higher by more than 0.1, and ${grouped(much_lower)} lower;`;
}

function drift(psi: number | null): string {
  return psi === null
    ? ''
    : `; PSI ${psi.toFixed(3)}, which is ${psi < STABLE_PSI ? 'stable' : psi < MAJOR_PSI ? 'a shift' : 'a major shift'}`;
}

function outcomeSentences({ outcomes }: Comparison): string[] {
  if (outcomes === null) return [];
  const { a, b, auc_difference: difference } = outcomes;
  if (difference === null || a.auc === null || b.auc === null)
    return ['The outcomes do not determine which side ranks better.'];
  const { value, low, high } = difference;
  const verdict =
    low === 0 && high === 0
      ? 'they rank alike'
      : low > 0
        ? 'B ranks better'
        : high < 0
          ? 'A ranks better'
          : 'the outcomes do not show which ranks better';
  return [
    `By the outcomes, AUC is ${a.auc.toFixed(3)} in A and ${b.auc.toFixed(3)} in B: ${verdict} (difference ${signed(value)}, 95 % interval ${signed(low)} to ${signed(high)}).`,
  ];
}

/** `A  1997-W10, run …, churn 1.0.0, published` */
export function showSide({ name, run_id, window, model, rows, publication }: SideFacts): string {
  const where = rows === 'published' || rows === 'replaced' ? `publication ${publication}, ${rows}` : rows;
  const of =
    name === run_id
      ? `${window.label}, run ${run_id}`
      : rows === 'scored aside'
        ? `${name} on ${window.label}`
        : `${name}, run ${run_id}`;
  return `${of}, ${where}; ${model.name} ${model.version}`;
}

/** `max_psi: 0.312 is more than 0.25` */
export function showLimit({ name, limit, value, state }: CheckedLimit): string {
  if (state === 'not checked')
    return `${name}: ${limit} was not checked, ${WHY_UNCHECKED[name] ?? 'since no user is in both windows'}`;
  if (value === null) return `${name}: not measured, so nothing shows that it is within ${limit}`;
  const least = name.startsWith('min_');
  const relation = state === 'within' ? 'is within' : least ? 'is less than' : 'is more than';
  return `${name}: ${Number(value.toFixed(6))} ${relation} ${limit}`;
}

const WHY_UNCHECKED: Partial<Readonly<Record<LimitName, string>>> = { max_auc_drop: 'since the outcomes are not known' };

export function score(value: number): string {
  return value.toFixed(4);
}

export function percent(share: number): string {
  const digits = share > 0 && share < 0.001 ? 3 : 1;
  return `${(share * 100).toFixed(digits)} %`;
}

export function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}

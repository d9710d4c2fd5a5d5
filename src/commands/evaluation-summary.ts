import { counted, grouped } from '../domain/counted.ts';
import { believedGroup, type EvaluatedGroup, type Evaluation, showAuc } from '../domain/evaluation.ts';
import { showTableName } from '../domain/table-name.ts';
import type { Window } from '../domain/window.ts';
import type { EvaluationRow } from '../evaluation/rows.ts';
import { alignTable } from '../terminal/table.ts';
import { localRange, localTime } from '../window/local-time.ts';

interface EvaluatedWindow {
  readonly job: string;
  readonly window: Window;
  readonly runId: string;
  readonly evaluation: Evaluation;
  readonly rows: readonly EvaluationRow[];
}

/** An evaluation as text for people. */
export function showEvaluation({ job, window, runId, evaluation, rows }: EvaluatedWindow): string {
  const { missing, missing_as: as, published, in_sample: inSample, treated, untreated } = evaluation;
  const range = localRange({ start: window.start.toISOString(), end: window.end.toISOString() }, window.zone);
  const left = as === 'exclude' ? 'were left out' : 'count as not come true';
  const known = missing === 0 ? '' : `; ${counted(missing, 'user')} without a known outcome ${left}`;
  const lines = [
    `evaluated ${job} ${window.label} (${range}, ${window.zone}), run ${runId}`,
    `  outcomes    until ${localTime(evaluation.label_end, window.zone)}, of ${grouped(published)} published users${known}`,
    ...showGroup('all users', evaluation),
    ...(treated === null ? [] : showGroup('treated', treated)),
    ...(untreated === null ? [] : showGroup('untreated', untreated)),
  ];
  if (believedGroup(evaluation).name === 'untreated')
    lines.push('  believed    untreated: contacting users changes their outcomes');
  if (inSample === true) lines.push('  in sample   the model was trained on this window, so this says little about new users');
  lines.push(`  table       ${showTableName(evaluation.table)}`, '', showDeciles(rows));
  return lines.join('\n');
}

function showGroup(name: string, group: EvaluatedGroup): string[] {
  const { users, positives, mean_score: mean, brier, average_precision: precision, calibration_error: error } = group;
  const measures = [
    ...(precision === null ? [] : [`average precision ${precision.toFixed(3)}`]),
    ...(brier === null ? [] : [`Brier score ${brier.toFixed(4)}`]),
    ...(error === null ? [] : [`off by ${percent(error)} on average`]),
  ];
  return [
    `  ${name.padEnd(10)}  ${grouped(users)}, ${grouped(positives)} came true (${percent(users === 0 ? null : positives / users)}), mean score ${percent(mean)}`,
    `              ${[showAuc(group), ...measures].join(', ')}`,
  ];
}

/** All users by the decile of their score; 1 has the highest scores. */
function showDeciles(rows: readonly EvaluationRow[]): string {
  const deciles = rows.filter(({ segment, contact, part }) => segment === 'all' && contact === 'all' && part === 'decile');
  return alignTable(
    ['decile', 'users', 'mean score', 'came true', 'lift', 'captured'],
    deciles.map(({ bin, users, positives, meanScore, gain }) => [
      String(bin),
      grouped(users),
      percent(meanScore ?? null),
      percent(positives / users),
      gain?.lift?.toFixed(2) ?? '',
      percent(gain?.capture ?? null),
    ]),
  );
}

/** With one decimal place. */
function percent(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)}%`;
}

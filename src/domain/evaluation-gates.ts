import { believedGroup, type Evaluation, showAuc } from './evaluation.ts';
import { percent } from './percents.ts';
import type { Refusal } from './refusal.ts';

/** Limits of the job file on the evaluation of earlier windows. */
export interface EvaluationLimits {
  readonly min_auc?: number | undefined;
  readonly max_calibration_error?: number | undefined;
  readonly on_evaluation: 'warn' | 'refuse';
}

/** The evaluation of a window that the model was not trained on. */
export interface EvaluatedWindow {
  readonly label: string;
  readonly evaluation: Evaluation;
}

interface EvaluationVerdict {
  /** Why nothing may be published; empty if the gates passed, or only warn. */
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly string[];
}

/**
 * Checks the newest evaluated window against the limits. An AUC fails if even the upper bound of its interval is below the limit:
 * then chance does not explain it.
 */
export function checkEvaluation(limits: EvaluationLimits, newest: EvaluatedWindow | undefined): EvaluationVerdict {
  const { min_auc: least, max_calibration_error: most, on_evaluation } = limits;
  if (least === undefined && most === undefined) return { refusals: [], warnings: [] };
  if (newest === undefined)
    return { refusals: [], warnings: ['evaluation check skipped: no window outside the training has been evaluated yet'] };
  const { label, evaluation } = newest;
  const { name, group } = believedGroup(evaluation);
  const users = name === 'all' ? '' : ` of the ${name} users`;
  const error = group.calibration_error;
  const failures: Refusal[] = [];
  if (least !== undefined && group.auc_high !== null && group.auc_high < least) {
    const message = `the scores of ${label} did not separate${users} enough: ${showAuc(group)}, gates.min_auc is ${least}`;
    failures.push({ gate: 'min_auc', message, measured: group.auc_high, limit: least });
  }
  if (most !== undefined && error !== null && error > most) {
    const message = `the scores of ${label} were off by ${percent(error)} on average${users}, gates.max_calibration_error is ${percent(most)}`;
    failures.push({ gate: 'max_calibration_error', message, measured: error, limit: most });
  }
  const skipped =
    least !== undefined && group.auc_high === null
      ? [`gates.min_auc was not checked: the outcomes of ${label} give ${showAuc(group)}`]
      : [];
  return on_evaluation === 'refuse'
    ? { refusals: failures, warnings: skipped }
    : { refusals: [], warnings: [...failures.map(({ message }) => message), ...skipped] };
}

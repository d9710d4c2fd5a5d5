import type { Ensemble } from './ensemble.ts';
import { refusal } from './refusal.ts';

/**
 * How the sums over trees become the ensemble's output. The specification is vague about classes, so this follows ONNX
 * Runtime's cpu kernels, against which exporters test their models.
 */
export interface Outcome {
  /** The outputs to sum, in this order. */
  readonly outputs: readonly number[];
  /** Added to each of them. */
  readonly base: readonly number[];
  /**
   * `each` transforms all sums. The others make two columns from one sum s: `complement` 1 - s and s, `opposite` -s and s,
   * `logistic pair` the logistic function of -s and s.
   */
  readonly form: 'each' | 'complement' | 'opposite' | 'logistic pair';
  readonly transform: Ensemble['transform'];
}

type Presence = 'always' | 'sometimes' | 'never';

/** @throws ScoreBatchError `configuration` if the output depends on more than sums, or runtimes disagree about it */
export function outcomeOf(ensemble: Ensemble): Outcome {
  const { outputs, classifier, baseValues, transform } = ensemble;
  if (classifier && outputs === 2) return binaryOutcome(ensemble);
  if (baseValues.length !== 0 && baseValues.length !== outputs) {
    throw refusal(`it has ${baseValues.length} base values for ${outputs} outputs`);
  }
  const all = Array.from({ length: outputs }, (_, i) => i);
  return {
    outputs: all,
    // A class always gets its base value. A target for which no leaf has a weight is 0.
    base: all.map((output) => (classifier ? (baseValues[output] ?? 0) : basedOn(ensemble, output, baseValues[output]))),
    form: 'each',
    // Runtimes ignore the transform of a single target or class.
    transform: outputs === 1 ? 'NONE' : transform,
  };
}

/** Two classes: exporters usually give weights to one class. Which one, and the signs, determine the other class's value. */
function binaryOutcome(ensemble: Ensemble): Outcome {
  const { baseValues, transform, negative } = ensemble;
  if (baseValues.length > 1) throw refusal('it has two base values for two classes, which no exporter writes');
  const second = presenceOf(ensemble, 1);
  if (second === 'sometimes') throw refusal('only some leaves have a weight for the second class');
  const base = basedOn(ensemble, 0, baseValues[0]);
  if (second === 'always') return { outputs: [0, 1], base: [base, 0], form: 'each', transform };
  const form = transform === 'LOGISTIC' ? 'logistic pair' : negative ? 'opposite' : 'complement';
  return { outputs: [0], base: [base], form, transform: 'NONE' };
}

/** A base value counts only for a row that reaches a leaf with a weight for the output. */
function basedOn(ensemble: Ensemble, output: number, base = 0): number {
  if (base === 0) return 0;
  const presence = presenceOf(ensemble, output);
  if (presence === 'sometimes') throw refusal(`only some leaves have a weight for output ${output}`);
  return presence === 'always' ? base : 0;
}

/** Whether every row reaches a leaf with a weight for the output. It does if one tree has a weight in all its leaves. */
function presenceOf({ nodes, weights }: Ensemble, output: number): Presence {
  const weighted = new Set(weights.filter((weight) => weight.output === output).map(({ node }) => node));
  if (weighted.size === 0) return 'never';
  return nodes.trees.some(({ leaves }) => leaves.every((leaf) => weighted.has(leaf))) ? 'always' : 'sometimes';
}

import type { Ensemble } from './ensemble.ts';
import { refusal } from './refusal.ts';

/**
 * How the sums over trees become the ensemble's output. The specification is vague about classes; this is what ONNX Runtime's cpu
 * kernels do, by which the models were judged when they were exported.
 */
export interface Outcome {
  /** The outputs that are summed, in this order. */
  readonly outputs: readonly number[];
  /** Added to each of them. */
  readonly base: readonly number[];
  /**
   * `each`: a transform of all sums. The others make two columns of one sum s: `complement` 1 - s and s, `opposite` -s and s,
   * `logistic pair` the logistic function of -s and s.
   */
  readonly form: 'each' | 'complement' | 'opposite' | 'logistic pair';
  readonly transform: Ensemble['transform'];
}

type Presence = 'always' | 'sometimes' | 'never';

/** @throws ScoreBatchError `configuration` where the output depends on more than sums, or runtimes disagree on it */
export function outcomeOf(ensemble: Ensemble): Outcome {
  const { outputs, classifier, baseValues, transform } = ensemble;
  if (classifier && outputs === 2) return binaryOutcome(ensemble);
  if (baseValues.length !== 0 && baseValues.length !== outputs) {
    throw refusal(`it has ${baseValues.length} base values for ${outputs} outputs`);
  }
  const all = Array.from({ length: outputs }, (_, i) => i);
  return {
    outputs: all,
    // A class has its base value always; a target that no leaf has a weight for is 0.
    base: all.map((output) => (classifier ? (baseValues[output] ?? 0) : basedOn(ensemble, output, baseValues[output]))),
    form: 'each',
    // Of a single target or class it is not asked for.
    transform: outputs === 1 ? 'NONE' : transform,
  };
}

/** Two classes: exporters give weights to one of them only, and what stands for the other depends on which, and on the signs. */
function binaryOutcome(ensemble: Ensemble): Outcome {
  const { baseValues, transform, negative } = ensemble;
  if (baseValues.length > 1) throw refusal('it has two base values for two classes, which no exporter writes');
  const second = presenceOf(ensemble, 1);
  if (second === 'sometimes') throw refusal('some leaves have a weight for the second class and others have none');
  const base = basedOn(ensemble, 0, baseValues[0]);
  if (second === 'always') return { outputs: [0, 1], base: [base, 0], form: 'each', transform };
  const form = transform === 'LOGISTIC' ? 'logistic pair' : negative ? 'opposite' : 'complement';
  return { outputs: [0], base: [base], form, transform: 'NONE' };
}

/** A base value counts where a leaf that a row came to has a weight for the output. */
function basedOn(ensemble: Ensemble, output: number, base = 0): number {
  if (base === 0) return 0;
  const presence = presenceOf(ensemble, output);
  if (presence === 'sometimes') throw refusal(`some leaves have a weight for output ${output} and others have none`);
  return presence === 'always' ? base : 0;
}

/** Whether every row comes to a leaf with a weight for the output: where one tree has one in all its leaves. */
function presenceOf({ nodes, weights }: Ensemble, output: number): Presence {
  const weighted = new Set(weights.filter((weight) => weight.output === output).map(({ node }) => node));
  if (weighted.size === 0) return 'never';
  return nodes.trees.some(({ leaves }) => leaves.every((leaf) => weighted.has(leaf))) ? 'always' : 'sometimes';
}

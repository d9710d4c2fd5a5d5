import type { ScoreChoice } from '../domain/score-class.ts';
import { ScoreBatchError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { Bundle } from './bundle.ts';

/** Most names in a hint. */
const MAX_NAMED = 10;

/**
 * The bundle with the class that a job chooses as its score: `signature.output.index` is the class's index, and
 * `definition.reference.score` its reference. A bundle without classes is returned unchanged.
 *
 * @throws ScoreBatchError `configuration` if the bundle has classes and the job does not choose, or vice versa, or there is no
 * such class
 */
export function withScore(bundle: Bundle, choice: ScoreChoice): Bundle {
  const { signature, definition, folder } = bundle;
  const { classes } = signature;
  if (classes === undefined) {
    const key = choice.class === undefined ? (choice.classes === undefined ? undefined : 'classes') : 'class';
    if (key === undefined) return bundle;
    throw new ScoreBatchError('configuration', `score.${key} is ${choice[key]}, but the bundle ${folder} has no classes`, {
      hint: `remove score.${key}; or name probabilities and labels under output in model.yaml, if the model predicts a class`,
    });
  }
  if (choice.class === undefined) {
    if (choice.classes !== undefined) return bundle;
    const named = classes.labels.slice(0, MAX_NAMED).join(', ');
    const more = classes.labels.length > MAX_NAMED ? ', …' : '';
    throw new ScoreBatchError(
      'configuration',
      `the bundle ${folder} predicts one of ${classes.labels.length} classes, and the job does not say which of them is the score`,
      { hint: `set score.class to one of ${named}${more}; or score.classes: all to publish every class` },
    );
  }
  const index = classes.labels.indexOf(choice.class);
  if (index < 0) {
    throw new ScoreBatchError('configuration', `score.class is ${choice.class}, but the bundle ${folder} has no such class`, {
      hint: didYouMean(choice.class, classes.labels),
    });
  }
  const { reference } = definition;
  const score = reference?.classes?.[choice.class];
  return {
    ...bundle,
    signature: { ...signature, output: { ...signature.output, index } },
    definition:
      score === undefined
        ? definition
        : { ...definition, reference: { ...reference, features: reference?.features ?? {}, score } },
  };
}

import { z } from 'zod';
import { isPrintable } from '../domain/printable.ts';

/** Where the score is: element `index` of each row of the output `name`. */
interface ScoreOutput {
  readonly name: string;
  readonly index: number;
}

/** The outputs of a model that predicts a class; see `Classes` in signature.ts. */
export interface ClassesOutput {
  readonly label?: string;
  readonly probabilities: string;
  readonly labels: readonly string[];
}

const name = z.string().min(1).refine(isPrintable, 'must not contain control characters');

/** YAML reads 0 as a number and true as a boolean; converting them to strings would be guessing the model's class names. */
const label = z
  .string({ error: 'write the name of the class in quotes: "0"' })
  .min(1)
  .refine(isPrintable, 'must not contain control characters')
  .refine((text) => !/^\s+$/.test(text), 'the name of a class must not be only spaces')
  // Answers have a key per class, and this one is special in JavaScript objects.
  .refine((text) => text !== '__proto__', '__proto__ is not a valid name: choose another one');

const SCORE_KEYS = ['name', 'index'] as const;
const CLASS_KEYS = ['label', 'probabilities', 'labels'] as const;

/**
 * `output` of `model.yaml`, for a bundle with one score or with classes. A single schema, so that every wrong key is reported
 * in its place.
 */
export const outputSchema = z
  .strictObject({
    name: name.optional(),
    index: z.int().min(0).optional(),
    label: name.optional(),
    probabilities: name.optional(),
    labels: z.array(label).min(2, 'name at least two classes').optional(),
  })
  .transform((given, context): ScoreOutput | ClassesOutput => {
    const refuse = (message: string, ...path: (string | number)[]): void => context.addIssue({ code: 'custom', path, message });
    const { name: score, index, label: predicted, probabilities, labels = [] } = given;
    const [ofScore, ofClasses] = [SCORE_KEYS, CLASS_KEYS].map((keys) => keys.filter((key) => given[key] !== undefined));
    if (ofScore?.[0] !== undefined && ofClasses?.[0] !== undefined) {
      refuse('write either name and index, for a bundle with one score, or the other keys, for one with classes', ofScore[0]);
    } else if (score !== undefined) return { name: score, index: index ?? 0 };
    else if (ofScore?.[0] !== undefined) refuse('missing: name, the output with the score');
    else if (ofClasses?.[0] === undefined) {
      refuse('write name and index of the score, or probabilities and labels of a model that predicts a class');
    } else {
      if (probabilities === undefined) refuse('missing: probabilities, the output with a column per class');
      if (given.labels === undefined) refuse('missing: labels, the names of the classes in the order of the probabilities');
      if (predicted !== undefined && predicted === probabilities)
        refuse('the label and the probabilities must be two outputs', 'label');
      for (const { place, message } of repeatedNames(labels)) refuse(message, 'labels', place);
    }
    return { ...(predicted !== undefined && { label: predicted }), probabilities: probabilities ?? '', labels };
  });

/** Names become columns, which databases compare without case. */
function repeatedNames(labels: readonly string[]): { readonly place: number; readonly message: string }[] {
  const seen = new Map<string, string>();
  return labels.flatMap((text, place) => {
    const key = text.toLowerCase();
    const other = seen.get(key);
    seen.set(key, other ?? text);
    if (other === undefined) return [];
    return [
      {
        place,
        message:
          other === text
            ? `the class ${text} is named twice`
            : `${other} and ${text} differ only in case, so databases would treat them as one column`,
      },
    ];
  });
}

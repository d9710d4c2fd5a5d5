import { ScoreBatchError } from '../errors.ts';
import type { Answer } from './answer.ts';

/** Separates view and feature in a full name. */
const BETWEEN = '__';

/**
 * The name of each feature in Feast's answers: its own, or `view__feature` if exactly one view has it.
 *
 * @param request features that only requests bring
 * @param what the service, for messages
 * @returns one per feature; undefined for those of requests
 * @throws ScoreBatchError `configuration` if the service lacks a feature, or several views have it
 */
export function mapFeatures(
  features: readonly string[],
  { answer, entities, request, what }: MappingOptions,
): readonly (string | undefined)[] {
  const names = [...answer.keys()].filter((name) => !entities.includes(name));
  const problems: string[] = [];
  const mapped = features.map((feature) => {
    if (request.includes(feature)) return undefined;
    if (names.includes(feature)) return feature;
    const found = names.filter((name) => name.includes(BETWEEN) && name.slice(name.indexOf(BETWEEN) + 2) === feature);
    if (found.length > 1) problems.push(`${feature} is in several views: ${found.join(', ')}`);
    if (found.length === 0 && !entities.includes(feature)) problems.push(`${feature} is not in the service`);
    return found[0];
  });
  const unknown = request.filter((name) => !features.includes(name));
  problems.push(...unknown.map((name) => `${name} of request is not a feature of the model`));
  if (problems.length === 0) return mapped;
  throw new ScoreBatchError('configuration', `${what} and the model do not go together: ${problems[0]}`, {
    details: problems.length === 1 ? [] : problems,
    hint: 'add it to the service, or name what requests bring under features.request; a full name (view__feature) is always clear',
  });
}

export interface MappingOptions {
  readonly answer: Answer;
  readonly entities: readonly string[];
  readonly request: readonly string[];
  readonly what: string;
}

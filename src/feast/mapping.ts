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
  problems.push(...unknown.map((name) => `${name} in features.request is not a feature of the model`));
  if (problems.length === 0) return mapped;
  throw new ScoreBatchError('configuration', `${what} does not fit the model: ${problems[0]}`, {
    details: problems.length === 1 ? [] : problems,
    hint: 'add the feature to the service, or list it under features.request if requests send it; a full name (view__feature) is never ambiguous',
  });
}

export interface MappingOptions {
  readonly answer: Answer;
  readonly entities: readonly string[];
  readonly request: readonly string[];
  readonly what: string;
}

import { parseChecked } from '../yaml/checked.ts';
import { aggregateOf, featureChecks, withoutRefused } from './checks.ts';
import type { Condition, EventFeatures, WindowFeature } from './definition.ts';
import { digestOf } from './digest.ts';
import { type FeatureEntry, type FeatureFile, featuresSchema } from './schema.ts';

/**
 * Parses and checks the text of a feature file.
 *
 * @param file name for messages
 * @throws ScoreBatchError `configuration` with all problems at once, each with line and column
 */
export function readEventFeatures(text: string, file: string): EventFeatures {
  const found = parseChecked(text, featuresSchema, {
    file,
    noun: 'feature file',
    hint: 'docs/event-features.md explains every key',
    crossChecks: featureChecks,
    rest: withoutRefused,
  });
  const features = toFeatures(found);
  return { ...features, digest: digestOf(features) };
}

function toFeatures({ as_of, key, id, time, lateness, skew = lateness, log, ...file }: FeatureFile) {
  return {
    name: file.name,
    asOf: as_of,
    key,
    id,
    time,
    fields: Object.entries(file.fields).map(([name, type]) => ({ name, type })),
    latenessMs: lateness,
    skewMs: skew,
    log,
    features: Object.entries(file.features).map(([name, entry]) => toFeature(name, entry)),
  } satisfies Omit<EventFeatures, 'digest'>;
}

function toFeature(name: string, entry: FeatureEntry): WindowFeature {
  const found = aggregateOf(entry);
  if (found === undefined) throw new Error(`the feature ${name} passed the check but has no aggregate`);
  const { aggregate, field } = found;
  return {
    name,
    aggregate,
    field: field === 'events' ? undefined : field,
    windowMs: entry.window,
    where: Object.entries(entry.where).map(([of, condition]) => toCondition(of, condition)),
  };
}

function toCondition(field: string, condition: FeatureEntry['where'][string]): Condition {
  if (typeof condition !== 'object') return { field, is: [condition] };
  if (Array.isArray(condition)) return { field, is: condition };
  return { field, atLeast: condition.at_least, below: condition.below };
}

import { horizonMs } from '../../event-features/definition.ts';
import { openAttributes } from '../attributes/open.ts';
import type { Log, TopicFacts } from '../log.ts';
import { describeInput } from '../partition/input-topic.ts';
import { openScorer } from '../score/open-scorer.ts';
import type { StreamSettings } from '../settings.ts';
import { checkTopics } from './topic-checks.ts';

/** What `score-batch stream` would do. */
export interface StreamPlan {
  readonly input: TopicFacts;
  /** How long the input topic must keep records for the windows, in milliseconds. */
  readonly horizonMs: number;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  /** Feature of the model → its source in the stream. */
  readonly sources: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/**
 * Checks all that can be checked without joining the group: topics, retention, model and golden rows, sources of features.
 *
 * @throws ScoreBatchError `configuration`, `unavailable` as the start of the stream would
 */
export async function planStream(
  settings: StreamSettings,
  log: Log,
  { environment, signal }: { readonly environment: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<StreamPlan> {
  const { features, renamed, model, scoreClass } = settings;
  const warnings: string[] = [];
  await checkTopics(log, settings, (message) => warnings.push(message));
  const input = await describeInput(log, settings.input, features);
  const attributes = await columnsOf(settings, log, { environment, signal, warn: (message) => warnings.push(message) });
  const scorer = await openScorer({ model, scoreClass, features, attributes, renamed });
  try {
    const sources = scorer.featureNames.map((name) => [name, sourceOf(settings, renamed[name] ?? name)]);
    const { name, version, digest } = scorer;
    return {
      input,
      horizonMs: horizonMs(features),
      model: { name, version, digest },
      sources: Object.fromEntries(sources),
      warnings,
    };
  } finally {
    await scorer.close();
  }
}

/** The types of a query's columns are known only after it ran. */
async function columnsOf(
  { attributes, name, root, features, limits }: StreamSettings,
  log: Log,
  { environment, signal, warn }: { environment: NodeJS.ProcessEnv; signal: AbortSignal; warn: (message: string) => void },
) {
  if (attributes === undefined) return [];
  if ('topic' in attributes) return attributes.columns;
  const opened = await openAttributes(attributes, {
    ...{ job: name, root, environment, log, signal, onFailure: (error) => warn(String(error)), warn },
    horizonMs: horizonMs(features),
    limits: { rows: limits.attributeRows, bytes: limits.attributeBytes ?? Number.POSITIVE_INFINITY },
    need: undefined,
  });
  await opened.close();
  return opened.columns;
}

function sourceOf({ features }: StreamSettings, name: string): string {
  if (features.features.some((feature) => feature.name === name)) return `window feature ${name}`;
  return features.fields.some((field) => field.name === name) ? `field ${name}` : `attribute ${name}`;
}

import type { Attributes } from '../attributes.ts';
import type { AttributeSettings } from '../settings.ts';
import type { AttributeOptions } from './options.ts';
import { openTopic } from './topic.ts';

/**
 * Static attributes in memory, complete when this returns, and kept up to date until they are closed.
 *
 * @throws ScoreBatchError `configuration` if topic or query cannot be used as they are, `refused` if their rows cannot,
 *   `unavailable` if there are more rows than allowed or they cannot be reached
 */
export async function openAttributes(settings: AttributeSettings, options: AttributeOptions): Promise<Attributes> {
  if ('topic' in settings) return await openTopic(settings, options);
  // A job without a warehouse loads none.
  const { openQuery } = await import('./query.ts');
  return await openQuery(settings, options);
}

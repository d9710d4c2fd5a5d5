import type { Attributes } from '../attributes.ts';
import type { AttributeSettings } from '../settings.ts';
import type { AttributeOptions } from './options.ts';
import { openTopic } from './topic.ts';

/**
 * Loads static attributes completely into memory, and keeps them up to date until they are closed.
 *
 * @throws ScoreBatchError `configuration` if the topic or query is unusable, `refused` if its rows are, `unavailable` if there
 * are more rows than allowed or the source cannot be reached
 */
export async function openAttributes(settings: AttributeSettings, options: AttributeOptions): Promise<Attributes> {
  if ('topic' in settings) return await openTopic(settings, options);
  // Loaded on demand: most jobs have no warehouse.
  const { openQuery } = await import('./query.ts');
  return await openQuery(settings, options);
}

import type { Delivery } from './deliveries.ts';

/** The file that `score-batch stream --events` reads: a record per line, in the order of offsets. */
export function eventLines(deliveries: readonly Delivery[]): string {
  return deliveries.map(({ timestamp, key, value }) => `${JSON.stringify({ timestamp, key, value })}\n`).join('');
}

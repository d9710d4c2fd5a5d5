import type { Delivery } from './deliveries.ts';

/** The file for `score-batch stream --events`: a record per line with its position in the topic, in order of arrival. */
export function eventLines(deliveries: readonly Delivery[]): string {
  return deliveries.map((delivery) => `${lineOf(delivery)}\n`).join('');
}

function lineOf({ partition, offset, timestamp, value }: Delivery): string {
  // A broken value stays unchanged.
  if (!value.endsWith('}')) return value;
  return `${value.slice(0, -1)},"kafka_partition":${partition},"kafka_offset":${offset},"kafka_timestamp":${timestamp}}`;
}

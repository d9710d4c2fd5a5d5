import type { Delivery } from './deliveries.ts';

/** The file that `score-batch stream --events` reads: a record per line with its place in the topic, in the order of arrival. */
export function eventLines(deliveries: readonly Delivery[]): string {
  return deliveries.map((delivery) => `${lineOf(delivery)}\n`).join('');
}

function lineOf({ partition, offset, timestamp, value }: Delivery): string {
  // A broken one stays as it is.
  if (!value.endsWith('}')) return value;
  return `${value.slice(0, -1)},"kafka_partition":${partition},"kafka_offset":${offset},"kafka_timestamp":${timestamp}}`;
}

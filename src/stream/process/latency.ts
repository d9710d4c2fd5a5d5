/** Counts in Prometheus histogram buckets. Cheap: no lookup or allocation per value. */
export interface Latency {
  /** @param ms from Kafka's timestamp of an event until its score was visible; below 0, by a clock that is ahead, it counts as 0 */
  observe(ms: number): void;
  /** In Prometheus text format. */
  text(): string;
}

const NAME = 'score_batch_stream_latency_seconds';
const BOUNDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

export function createLatency(): Latency {
  const counts = new Float64Array(BOUNDS.length + 1);
  let sum = 0;
  return {
    observe(ms) {
      const seconds = Math.max(0, ms) / 1000;
      sum += seconds;
      let at = 0;
      while (at < BOUNDS.length && seconds > (BOUNDS[at] as number)) at += 1;
      counts[at] = (counts[at] as number) + 1;
    },
    text() {
      let below = 0;
      const lines = BOUNDS.map((bound, at) => {
        below += counts[at] as number;
        return `${NAME}_bucket{le="${bound}"} ${below}`;
      });
      const all = below + (counts[BOUNDS.length] as number);
      return [
        `# HELP ${NAME} Time from the Kafka timestamp of an event until its score was visible`,
        `# TYPE ${NAME} histogram`,
        ...lines,
        `${NAME}_bucket{le="+Inf"} ${all}`,
        `${NAME}_sum ${sum}`,
        `${NAME}_count ${all}`,
        '',
      ].join('\n');
    },
  };
}

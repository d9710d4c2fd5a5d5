import { expect, it } from 'vitest';
import { createLatency } from '../../../src/stream/process/latency.ts';

it('counts cumulative buckets, and never a sum that falls: a timestamp of a clock that is ahead counts as 0', () => {
  const latency = createLatency();
  for (const ms of [4, 20, 61_000, -5000]) latency.observe(ms);
  const lines = latency.text().split('\n');
  expect(lines).toContain('score_batch_stream_latency_seconds_bucket{le="0.005"} 2');
  expect(lines).toContain('score_batch_stream_latency_seconds_bucket{le="0.02"} 3');
  expect(lines).toContain('score_batch_stream_latency_seconds_bucket{le="60"} 3');
  expect(lines).toContain('score_batch_stream_latency_seconds_bucket{le="+Inf"} 4');
  expect(lines).toContain('score_batch_stream_latency_seconds_sum 61.024');
  expect(lines).toContain('score_batch_stream_latency_seconds_count 4');
});

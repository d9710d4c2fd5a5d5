import { expect, it } from 'vitest';
import { IRIS, served } from '../served.ts';
import { metricOf } from './server.ts';

const ROW = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

async function predict(url: string, model: string, rows: object[]): Promise<number> {
  const { status } = await fetch(`${url}/v1/models/${model}/predict`, { method: 'POST', body: JSON.stringify({ rows }) });
  return status;
}

it('counts requests, rows, runs and rejections, with labels of what is served only', async () => {
  const { addresses, service } = await served([IRIS]);
  const url = addresses.http;
  const read = async () => await (await fetch(`${url}/metrics`)).text();
  expect(await predict(url, 'iris', [ROW, ROW, { ...ROW, petal_width: 99 }])).toBe(200);
  expect(await predict(url, 'iris', [{ ...ROW, petal_width: 'wide' }])).toBe(400);
  for (const name of ['nobody', 'knows', '__proto__']) expect(await predict(url, name, [ROW])).toBe(404);

  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  const [{ version, digest, sameBits } = { version: '', digest: '', sameBits: false }] = service.models.list();
  const model = `model="iris",version="${version}"`;
  expect(metricOf(text, `score_batch_serve_request_seconds_count{protocol="predict",${model},outcome="ok"}`)).toBe(1);
  expect(metricOf(text, `score_batch_serve_request_seconds_bucket{le="5",protocol="predict",${model},outcome="ok"}`)).toBe(1);
  expect(metricOf(text, `score_batch_serve_request_seconds_count{protocol="predict",${model},outcome="invalid"}`)).toBe(1);
  expect(metricOf(text, `score_batch_serve_rows_total{protocol="predict",${model}}`)).toBe(3);
  expect(metricOf(text, `score_batch_serve_rejected_rows_total{${model},reason="feature out of range"}`)).toBe(1);
  expect(metricOf(text, `score_batch_serve_run_rows_sum{${model}}`)).toBe(3);
  expect(metricOf(text, `score_batch_serve_run_rows_count{${model}}`)).toBe(1);
  expect(metricOf(text, `score_batch_serve_queued_rows{${model}}`)).toBe(0);
  const info = `{${model},digest="${digest}",same_bits="${sameBits}",canary_percent=""}`;
  expect(metricOf(text, `score_batch_serve_model_info${info}`)).toBe(1);
  expect(metricOf(text, 'score_batch_serve_resident_memory_bytes')).toBeGreaterThan(1e7);
  expect(text).not.toMatch(/nobody|knows|__proto__|5\.1/);
  expect(
    metricOf(text, 'score_batch_serve_request_seconds_count{protocol="predict",model="",version="",outcome="not found"}'),
  ).toBe(3);

  // A loop that was busy is late; the next scrape starts from zero. What comes before the first look after a scrape does not count.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const end = performance.now() + 400;
  while (performance.now() < end);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(metricOf(await read(), 'score_batch_serve_event_loop_lag_seconds')).toBeGreaterThan(0.2);
});

it('are not there with metrics: false', async () => {
  const { addresses } = await served([IRIS], { metrics: false });
  expect((await fetch(`${addresses.http}/metrics`)).status).toBe(404);
});

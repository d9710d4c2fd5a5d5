import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { METRICS } from '../../src/metrics-file/metrics.ts';
import { createMetrics } from '../../src/stream/process/metrics.ts';
import { repository } from '../support/project.ts';
import { alerts, dashboardQueries } from './deployed.ts';

/** The names that `stream` answers, those that stand in the sources of `serve`, and those of the metrics file. */
async function namesInCode(): Promise<Set<string>> {
  const scorer = { name: 'm', version: '1', digest: 'd' };
  const { text } = await createMetrics(() => ({ partitions: [], attributes: undefined, scorer, paused: false })).then(
    (metrics) => metrics.text(),
  );
  const stream = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '']) => name);
  const folder = repository('src/serve/process');
  const sources = await Promise.all((await readdir(folder)).map((file) => readFile(`${folder}/${file}`, 'utf8')));
  const serve = sources.flatMap((source) => [...source.matchAll(/'(score_batch_serve_\w+)'/g)].map(([, name = '']) => name));
  return new Set([...stream, ...serve, ...Object.keys(METRICS)]);
}

it('the dashboard and the alerts ask for metrics that there are', async () => {
  const known = await namesInCode();
  expect([...known].filter((name) => name.startsWith('score_batch_stream_')).length).toBeGreaterThan(10);
  expect([...known].filter((name) => name.startsWith('score_batch_serve_')).length).toBeGreaterThan(5);
  const queries = [...(await dashboardQueries()).map(({ query }) => query), ...(await alerts()).map(({ expr }) => expr)];
  const asked = new Set(queries.flatMap((query) => query.match(/score_batch_\w+/g) ?? []));
  const unknown = [...asked].filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')));
  expect(unknown).toEqual([]);
  // Whatever the file tells is shown or alerted on, so that nothing is written for nobody.
  const unused = Object.keys(METRICS).filter((name) => !asked.has(name));
  expect(unused).toEqual(['score_batch_last_run_duration_seconds']);
});

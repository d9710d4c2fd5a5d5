import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { hasGo, startRealCollector } from './real-collector.ts';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

interface Traces {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly parentSpanId: string;
        readonly attributes: readonly Attribute[];
      }[];
    }[];
  }[];
}

interface Metrics {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly { readonly metrics: readonly { readonly name: string }[] }[];
  }[];
}

// The collector comes as source from Go's module proxy.
it.skipIf(!(await hasGo()))("OpenTelemetry's own collector receives and decodes what a run sends", async () => {
  await using collector = await startRealCollector();
  const { code, stderr } = await scoreBatch(await linearProject(), ['run', '--week'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain('warning');
  const traces = JSON.parse(await collector.received('traces')) as Traces;
  const spans = traces.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans).flatMap((scope) => scope.spans);
  const root = spans.find(({ name }) => name === 'run linear');
  expect(root).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', parentSpanId: 'b7ad6b7169203331' });
  expect(root?.attributes).toContainEqual({ key: 'score_batch.rows.frozen', value: { intValue: '100' } });
  expect(root?.attributes).toContainEqual({ key: 'score_batch.state', value: { stringValue: 'published' } });
  expect(spans.map(({ name }) => name)).toContain('publish');
  const metrics = JSON.parse(await collector.received('metrics')) as Metrics;
  const names = metrics.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics).flatMap((scope) => scope.metrics);
  expect(names.map(({ name }) => name).sort()).toEqual([
    'score_batch.last_success.time',
    'score_batch.rows',
    'score_batch.runs',
    'score_batch.stage.duration',
  ]);
});

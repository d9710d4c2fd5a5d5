import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { scoreBatch, scoreBatchProcess } from '../support/score-batch.ts';
import { listening, type OtlpSpan, startCollector } from './otlp-collector.ts';

const PARENT = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const TRACEPARENT = `00-${PARENT.trace}-${PARENT.span}-01`;

function rootOf(spans: readonly OtlpSpan[]): OtlpSpan {
  const root = spans.find(({ name }) => name.startsWith('run '));
  if (root === undefined) throw new Error('there is no span of a run');
  return root;
}

it('sends a span of the run below the span of its scheduler, and one of each stage below it', async () => {
  await using collector = await startCollector();
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20sesame42',
    OTEL_SERVICE_NAME: 'weekly',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=other',
    TRACEPARENT,
  };
  const project = await linearProject();
  const { code, stderr, stdout } = await scoreBatch(project, ['run', '--week', '--json'], environment);
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain('OpenTelemetry');
  const { run_id, model } = JSON.parse(stdout) as { run_id: string; model: { digest: string } };

  expect(collector.requests.map(({ path }) => path).sort()).toEqual(['/v1/metrics', '/v1/traces']);
  for (const { headers } of collector.requests) expect(headers.authorization).toBe('Bearer sesame42');
  const spans = collector.spans();
  const root = rootOf(spans);
  expect(root).toMatchObject({
    name: 'run linear',
    trace_id: PARENT.trace,
    parent_span_id: PARENT.span,
    status: 'STATUS_CODE_UNSET',
  });
  expect(root.resource).toMatchObject({
    'service.name': 'weekly',
    'deployment.environment.name': 'test',
    'telemetry.sdk.language': 'nodejs',
  });
  expect(root.attributes).toEqual({
    'score_batch.job': 'linear',
    'score_batch.run_id': run_id,
    'score_batch.window': '1997-W11',
    'score_batch.window.start': '1997-03-10T05:00:00.000Z',
    'score_batch.window.end': '1997-03-17T05:00:00.000Z',
    'score_batch.model.name': 'linear',
    'score_batch.model.version': '1',
    'score_batch.model.digest': model.digest,
    'score_batch.source.warehouse': 'duckdb',
    'score_batch.sink.warehouse': 'duckdb',
    'score_batch.state': 'published',
    'score_batch.exit_code': 0,
    'score_batch.publication': 1,
    'score_batch.rows.frozen': 100,
    'score_batch.rows.scored': 100,
    'score_batch.rows.quarantined': 0,
  });
  const stages = spans.filter((span) => span !== root);
  expect(stages.map(({ name }) => name)).toEqual(['plan', 'score', 'reconcile', 'publish', 'report', 'clean_up']);
  for (const [i, stage] of stages.entries()) {
    expect(stage).toMatchObject({ trace_id: PARENT.trace, parent_span_id: root.span_id });
    expect(stage.began).toBeCloseTo(i === 0 ? root.began : (stages[i - 1]?.ended ?? 0), 0);
  }
  expect(stages.at(-1)?.ended).toBeLessThanOrEqual(root.ended + 1);

  expect(collector.points('score_batch.runs')).toMatchObject([
    { value: 1, kind: 'sum', unit: '{run}', attributes: { 'score_batch.job': 'linear', 'score_batch.state': 'published' } },
  ]);
  expect(
    collector.points('score_batch.rows').map(({ value, attributes }) => [attributes['score_batch.outcome'], value]),
  ).toEqual([
    ['scored', 100],
    ['quarantined', 0],
  ]);
  expect(collector.points('score_batch.stage.duration').map(({ attributes }) => attributes['score_batch.stage'])).toEqual(
    stages.map(({ name }) => name),
  );
  expect(collector.points('score_batch.last_success.time')[0]?.value).toBeCloseTo(root.ended / 1000, 1);

  const again = await scoreBatch(project, ['run', '--week', '--skip-published'], environment);
  expect(again.code, again.stderr).toBe(0);
  expect(rootOf(collector.spans().slice(spans.length)).attributes).toMatchObject({
    'score_batch.run_id': run_id,
    'score_batch.state': 'already published',
    'score_batch.publication': 1,
  });
});

it('sends each step of a run that several processes do, and each window of a backfill', async () => {
  await using collector = await startCollector();
  const environment = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces` };
  const project = await linearProject({ edit: (job) => job.replace('min_rows: 1', 'min_rows: 0') });
  for (const step of ['freeze', 'score', 'publish']) {
    const { code, stderr } = await scoreBatch(project, [step, '--week'], environment);
    expect(code, stderr).toBe(0);
  }
  expect(new Set(collector.requests.map(({ path }) => path))).toEqual(new Set(['/v1/traces']));
  const roots = collector.spans().filter(({ name }) => name === 'run linear');
  expect(roots.map(({ attributes }) => attributes['score_batch.state'])).toEqual(['phase', 'phase', 'published']);
  expect(new Set(roots.map(({ attributes }) => attributes['score_batch.run_id'])).size).toBe(1);
  collector.requests.length = 0;
  const backfill = await scoreBatch(
    project,
    ['backfill', '--from', '1997-W08', '--to', '1997-W10', '--allow-empty'],
    environment,
  );
  expect(backfill.code, backfill.stderr).toBe(0);
  const windows = collector.spans().filter(({ name }) => name === 'run linear');
  expect(windows.map(({ attributes }) => attributes['score_batch.window'])).toEqual(['1997-W08', '1997-W09', '1997-W10']);
});

it('tells the kind of an error, and nothing of its message', async () => {
  await using collector = await startCollector();
  const project = await linearProject({ edit: (job) => job.replace('min_rows: 1', 'min_rows: 4711') });
  const { code } = await scoreBatch(project, ['run', '--week'], { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` });
  expect(code).toBe(65);
  const root = rootOf(collector.spans());
  expect(root.status).toBe('STATUS_CODE_ERROR');
  expect(root.attributes).toMatchObject({
    'score_batch.state': 'refused',
    'error.type': 'refused',
    'score_batch.exit_code': 65,
  });
  expect(JSON.stringify(collector.requests)).not.toContain('4,711');
  expect(collector.points('score_batch.last_success.time')).toEqual([]);
});

describe('bad input', () => {
  /** Runs in a process of its own, whose end is what may be delayed. */
  async function warned(environment: NodeJS.ProcessEnv): Promise<string[]> {
    const { code, stderr } = await scoreBatchProcess(await linearProject(), ['run', '--week'], environment);
    expect(code, stderr).toBe(0);
    return stderr.split('\n').filter((line) => line.startsWith('warning: '));
  }

  it('a collector that refuses connections is one warning', async () => {
    expect(await warned({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })).toEqual([
      'warning: OpenTelemetry: not all traces and metrics could be sent: connect ECONNREFUSED 127.0.0.1:1',
    ]);
  });

  it('a collector that takes requests and never answers is one warning', async () => {
    const { url, close } = await listening(createTcpServer(() => undefined));
    // Less than the 2 s of all observers, of which test/observe/observed.test.ts knows.
    expect(await warned({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: '60000' })).toEqual([
      'warning: OpenTelemetry: not all traces and metrics could be sent: Request timed out',
    ]);
    await close();
  });

  it.each([
    [500, 'secret page', 'the collector answered 500 Internal Server Error'],
    [401, '', 'the collector answered 401 Unauthorized'],
  ])('a collector that answers %i is one warning, without its answer', async (status, answer, why) => {
    await using collector = await startCollector(status, answer);
    expect(await warned({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })).toEqual([
      `warning: OpenTelemetry: not all traces and metrics could be sent: ${why}`,
    ]);
  });

  it('a server that speaks another protocol is one warning', async () => {
    const { url, close } = await listening(createTcpServer((socket) => void socket.end('220 mail.example ESMTP\r\n')));
    const warnings = await warned({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    await close();
    expect(warnings).toEqual([
      expect.stringMatching(/^warning: OpenTelemetry: not all traces and metrics could be sent: Parse Error/),
    ]);
  });

  it('an answer that is not of OTLP is one warning', async () => {
    await using collector = await startCollector(200, '<html>welcome</html>');
    const [warning, ...more] = await warned({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    expect(more).toEqual([]);
    expect(warning).toContain('could not deserialize response');
    expect(warning).not.toContain('welcome');
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' }, 'OTEL_EXPORTER_OTLP_ENDPOINT must begin with http:// or https://'],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      'OTEL_EXPORTER_OTLP_PROTOCOL=grpc is not supported; use http/protobuf, as port 4318 of a collector takes it',
    ],
  ])('%j sends nothing, and says why', async (environment, why) => {
    expect(await warned(environment)).toEqual([`warning: OpenTelemetry: ${why}`]);
  });

  it('a TRACEPARENT of another form begins a trace of its own', async () => {
    await using collector = await startCollector();
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, TRACEPARENT: '00-zz-zz-01\n' };
    expect(await warned(environment)).toEqual([
      'warning: OpenTelemetry: TRACEPARENT is not a W3C trace context, so this command starts a new trace',
    ]);
    expect(rootOf(collector.spans()).parent_span_id).toBe('');
  });

  it('attributes of the resource that cannot be read are one warning, and the run is sent without them', async () => {
    await using collector = await startCollector();
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_RESOURCE_ATTRIBUTES: 'a=b=c,team=x' };
    const [warning, ...more] = await warned(environment);
    expect(more).toEqual([]);
    expect(warning).toMatch(/^warning: OpenTelemetry: OTEL_RESOURCE_ATTRIBUTES is ignored: /);
    const { resource } = rootOf(collector.spans());
    expect(resource).toMatchObject({ 'service.name': 'score-batch' });
    expect(resource).not.toHaveProperty('team');
  });

  it('OTEL_SDK_DISABLED sends nothing, and says nothing', async () => {
    await using collector = await startCollector();
    expect(await warned({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: 'true' })).toEqual([]);
    expect(collector.requests).toEqual([]);
  });
});

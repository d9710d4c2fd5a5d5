import { hostname } from 'node:os';
import { DiagLogLevel, diag, ROOT_CONTEXT } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Context } from '../context.ts';
import type { RunObserver } from '../observe/observer.ts';
import { registerSecret } from '../secrets.ts';
import { VERSION } from '../versions.ts';
import { type Failures, noteFailures } from './failures.ts';
import { observeMeasures } from './measures.ts';
import { parentOf } from './parent.ts';
import { type Signal, secretsIn, wantedSignals } from './signals.ts';
import { observeSpans } from './spans.ts';

const NAME = 'score-batch';

/** Timeout of a request including retries, milliseconds: less than all observers may take at the end. */
const TIMEOUT_MS = 1_500;

type Console = Pick<Context['console'], 'warn' | 'debug'>;

/** A signal being sent: its observer, and how to send the rest. */
interface Sending extends Omit<RunObserver, 'close'> {
  shutdown(): Promise<void>;
}

/**
 * Sends traces and metrics as OTLP over HTTP, configured by OpenTelemetry's variables. Spans are sent while other runs
 * continue, and the rest at the end. What cannot be sent is lost, with one warning.
 *
 * @returns undefined if nothing is to be sent; a warning says why if the configuration is wrong
 */
export function telemetryObserver(environment: NodeJS.ProcessEnv, console: Console): RunObserver | undefined {
  for (const secret of secretsIn(environment)) registerSecret(secret);
  const { signals, problems } = wantedSignals(environment);
  if (problems.length > 0) console.warn(`OpenTelemetry: ${problems.join('; ')}`);
  if (signals.length === 0) return undefined;
  const failures = noteFailures();
  listen(failures);
  const resource = resourceOf();
  const senders: Readonly<Record<Signal, () => Sending>> = {
    traces: () => sendTraces(resource, environment, (error) => failures.note('traces', error), console),
    metrics: () => sendMetrics(resource, (error) => failures.note('metrics', error)),
  };
  const sending = signals.map((signal) => senders[signal]());
  return {
    began(run) {
      for (const one of sending) one.began(run);
    },
    ended(run, end) {
      for (const one of sending) one.ended(run, end);
    },
    async close() {
      await Promise.allSettled(sending.map((one) => one.shutdown()));
      const text = failures.text();
      if (text !== undefined) console.warn(`OpenTelemetry: ${text}`);
    },
  };
}

/** Collects the packages' warnings about the environment, and about answers that they do not understand. */
function listen(failures: Failures): void {
  const nothing = (): void => undefined;
  const logger = {
    verbose: nothing,
    debug: nothing,
    info: nothing,
    error: nothing,
    warn: (...of: unknown[]) => failures.doubt(textOf(of)),
  };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}

/** Text of a warning; arguments after the component's namespace and the sentence may be a collector's answer, so drop them. */
function textOf(of: readonly unknown[]): string {
  const texts = of.filter((one) => typeof one === 'string');
  return texts.find((text) => text.includes(' ')) ?? texts[0] ?? '';
}

function sendTraces(resource: Resource, environment: NodeJS.ProcessEnv, note: Note, console: Console): Sending {
  const parent = parentOf(environment);
  if (parent === undefined)
    console.warn('OpenTelemetry: TRACEPARENT is not a W3C trace context, so this command starts a new trace');
  const exporter = noting(new OTLPTraceExporter({ timeoutMillis: TIMEOUT_MS }), note);
  const processor = new BatchSpanProcessor(exporter, { exportTimeoutMillis: TIMEOUT_MS });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  const spans = observeSpans(provider.getTracer(NAME, VERSION), parent ?? ROOT_CONTEXT);
  return { ...spans, shutdown: () => provider.shutdown() };
}

function sendMetrics(resource: Resource, note: Note): Sending {
  const exporter = noting(new OTLPMetricExporter({ timeoutMillis: TIMEOUT_MS }), note);
  const reader = new PeriodicExportingMetricReader({ exporter, exportTimeoutMillis: TIMEOUT_MS });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const measures = observeMeasures(provider.getMeter(NAME, VERSION));
  return { ...measures, shutdown: () => provider.shutdown() };
}

/** OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence. */
function resourceOf(): Resource {
  const own = resourceFromAttributes({ 'service.name': NAME, 'service.version': VERSION, 'host.name': hostname() });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}

type Note = (error: unknown) => void;

interface Exporter<T> {
  export(items: T, done: (result: ExportResult) => void): void;
}

/** The exporter, which also notes why a request failed: the packages do not report it. */
function noting<T, E extends Exporter<T>>(exporter: E, note: Note): E {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== ExportResultCode.SUCCESS) note(result.error);
      done(result);
    });
  return exporter;
}
